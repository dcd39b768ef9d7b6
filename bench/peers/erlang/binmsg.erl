%% SPDX-License-Identifier: BSD-2-Clause
%% Sends a binary of 1 MB and waits for a short answer. The VM is expected to
%% pass a reference and not to copy the bytes.
%% main([N]): N round trips.
-module(binmsg).
-export([main/1]).

-define(SIZE, 1000000).

main([Arg]) ->
    N = list_to_integer(Arg),
    bench:run("binmsg", N,
              fun() -> {spawn_link(fun receiver/0), binary:copy(<<7>>, ?SIZE)} end,
              fun({Receiver, Binary}) -> send(Receiver, Binary, N) end).

send(Receiver, _Binary, 0) -> Receiver ! stop, ok;
send(Receiver, Binary, N) ->
    Receiver ! {self(), Binary},
    receive ?SIZE -> send(Receiver, Binary, N - 1) end.

receiver() ->
    receive
        {From, Binary} -> From ! byte_size(Binary), receiver();
        stop -> ok
    end.
