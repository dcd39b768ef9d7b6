%% SPDX-License-Identifier: BSD-2-Clause
%% Many senders, one receiver, nothing to slow the senders down.
%% main([Senders, Each]): one operation is one message sent and received.
%% The senders are started before the clock.
-module(fanin).
-export([main/1]).

main([SendersArg, EachArg]) ->
    Senders = list_to_integer(SendersArg),
    Each = list_to_integer(EachArg),
    Total = Senders * Each,
    Expected = Senders * (Each * (Each + 1) div 2),
    bench:run("fanin", Total,
              fun() -> start(Senders, Each) end,
              fun(Pids) ->
                      lists:foreach(fun(Pid) -> Pid ! go end, Pids),
                      Expected = sum(Total, 0)
              end).

start(Senders, Each) ->
    Receiver = self(),
    [spawn_link(fun() -> receive go -> send(Receiver, Id, Each) end end)
     || Id <- lists:seq(1, Senders)].

send(_Receiver, _Id, 0) -> ok;
send(Receiver, Id, N) -> Receiver ! {msg, Id, N}, send(Receiver, Id, N - 1).

sum(0, Sum) -> Sum;
sum(Left, Sum) -> receive {msg, _Id, N} -> sum(Left - 1, Sum + N) end.
