%% SPDX-License-Identifier: BSD-2-Clause
%% A token goes round a ring of processes.
%% main([Processes, Hops]): one operation is one hop (one message). The ring
%% is built before the clock starts.
-module(ring).
-export([main/1]).

main([ProcessesArg, HopsArg]) ->
    Processes = list_to_integer(ProcessesArg),
    Hops = list_to_integer(HopsArg),
    bench:run("ring", Hops,
              fun() -> build(Processes) end,
              fun(First) ->
                      First ! {token, Hops},
                      receive done -> ok end
              end).

%% Returns the first process of a closed ring.
build(Processes) ->
    Main = self(),
    Last = spawn_link(fun() -> receive {next, Next} -> relay(Next, Main) end end),
    First = lists:foldl(
              fun(_, Next) -> spawn_link(fun() -> relay(Next, Main) end) end,
              Last, lists:seq(2, Processes)),
    Last ! {next, First},
    First.

relay(Next, Main) ->
    receive
        {token, 1} -> Main ! done, relay(Next, Main);
        {token, N} -> Next ! {token, N - 1}, relay(Next, Main)
    end.
