%% SPDX-License-Identifier: BSD-2-Clause
%% Does one process with a lot of live data hold up the others?
%%
%% A worker keeps a map of about 50 MB and replaces entries as fast as it can,
%% so it makes garbage all the time. Meanwhile 1000 processes each sleep 10 ms,
%% then ask a partner of their own for an answer, again and again. Their
%% latency runs from the moment the sleep should have ended to the moment the
%% answer arrives: it includes a late wake-up, so a pause that falls into the
%% sleep is seen too.
%%
%% main([Entries, Updates])
%%   gc_pause            time per update of the worker
%%   gc_pause.live_bytes size of the worker's map
%%   gc_pause.median_us, .p99_us, .max_us
%%                       latency while the worker runs
%%   gc_pause.quiet_median_us, .quiet_p99_us, .quiet_max_us
%%                       latency in two seconds without the worker
-module(gc_pause).
-export([main/1]).

-define(PINGERS, 1000).
-define(SLEEP_MS, 10).
-define(QUIET_MS, 2000).

main([EntriesArg, UpdatesArg]) ->
    Entries = list_to_integer(EntriesArg),
    Updates = list_to_integer(UpdatesArg),
    %% Warm-up: the same with a tenth of the updates.
    _ = measure(Entries, Updates div 10),
    {Quiet, _} = latencies(fun() -> timer:sleep(?QUIET_MS) end),
    {Busy, {Bytes, Nanos}} = measure(Entries, Updates),
    bench:timing("gc_pause", Updates, Nanos),
    bench:metric("gc_pause.live_bytes", Entries, Bytes),
    report("gc_pause.", Busy),
    report("gc_pause.quiet_", Quiet).

report(Prefix, Latencies) ->
    N = length(Latencies),
    Sorted = list_to_tuple(lists:sort(Latencies)),
    At = fun(Share) -> element(max(1, ceil(Share * N)), Sorted) / 1000 end,
    bench:metric(Prefix ++ "median_us", N, At(0.5)),
    bench:metric(Prefix ++ "p99_us", N, At(0.99)),
    bench:metric(Prefix ++ "max_us", N, At(1.0)).

%% Runs the worker with the pingers around it.
measure(Entries, Updates) ->
    Main = self(),
    Worker = spawn_link(fun() -> worker(Main, Entries, Updates) end),
    receive {ready, Worker, Bytes} -> ok end,
    latencies(fun() ->
                      Worker ! go,
                      receive {done, Worker, Nanos} -> {Bytes, Nanos} end
              end).

%% Runs Fun with 1000 pingers; returns all latencies in ns and Fun's result.
latencies(Fun) ->
    Pingers = [spawn_link(fun() ->
                                  %% Not all at the same moment.
                                  timer:sleep(I rem ?SLEEP_MS),
                                  pinger(spawn_link(fun echo/0), [])
                          end) || I <- lists:seq(1, ?PINGERS)],
    Result = Fun(),
    [Pinger ! {stop, self()} || Pinger <- Pingers],
    {lists:append([receive {latencies, Pinger, L} -> L end || Pinger <- Pingers]), Result}.

pinger(Echo, Latencies) ->
    Due = bench:now_ns() + ?SLEEP_MS * 1000000,
    receive
        {stop, To} ->
            Echo ! stop,
            To ! {latencies, self(), Latencies}
    after ?SLEEP_MS ->
            Echo ! {ping, self()},
            receive pong -> pinger(Echo, [bench:now_ns() - Due | Latencies]) end
    end.

echo() ->
    receive
        {ping, From} -> From ! pong, echo();
        stop -> ok
    end.

worker(Main, Entries, Updates) ->
    Map = maps:from_list([{I, entry(I)} || I <- lists:seq(0, Entries - 1)]),
    Main ! {ready, self(), 8 * erts_debug:flat_size(Map)},
    receive go -> ok end,
    Start = bench:now_ns(),
    Last = update(Updates, Entries, Map),
    Nanos = bench:now_ns() - Start,
    Entries = map_size(Last),
    Main ! {done, self(), Nanos}.

update(0, _Entries, Map) -> Map;
update(I, Entries, Map) ->
    update(I - 1, Entries, Map#{(I * 7919) rem Entries := entry(I)}).

entry(I) -> {I, [I, I + 1, I + 2, I + 3, I + 4, I + 5, I + 6, I + 7, I + 8, I + 9]}.
