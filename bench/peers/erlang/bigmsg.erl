%% SPDX-License-Identifier: BSD-2-Clause
%% Sends a large nested term and waits for a short answer.
%% main([N]): N round trips. The term is a list of 1000 elements, each a tuple
%% holding an integer, a tuple and a list: 16 words an element, 128 kB in all
%% in a VM with 8-byte words. It is built before the clock starts.
-module(bigmsg).
-export([main/1]).

main([Arg]) ->
    N = list_to_integer(Arg),
    bench:run("bigmsg", N,
              fun() -> {spawn_link(fun receiver/0), term()} end,
              fun({Receiver, Term}) -> send(Receiver, Term, N) end).

term() ->
    [{I, {item, I * 2, I * 3}, [I, I + 1, I + 2]} || I <- lists:seq(1, 1000)].

send(Receiver, _Term, 0) -> Receiver ! stop, ok;
send(Receiver, Term, N) ->
    Receiver ! {self(), Term},
    receive 1000 -> send(Receiver, Term, N - 1) end.

receiver() ->
    receive
        {From, Term} -> From ! length(Term), receiver();
        stop -> ok
    end.
