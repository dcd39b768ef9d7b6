%% SPDX-License-Identifier: BSD-2-Clause
%% Fork and join: parallel Fibonacci. Above a limit each call gives one half to
%% a new process and does the other half itself; below it plain recursion. How
%% much faster it gets with a second scheduler is the point.
%% main([N, Limit, Times]): one operation is one process forked and joined.
-module(spawn_tree).
-export([main/1]).

main(Args) ->
    [N, Limit, Times] = [list_to_integer(A) || A <- Args],
    Expected = fib(N),
    bench:run("spawn_tree", forks(N, Limit) * Times,
              fun() -> bench:repeat(Times, fun() -> Expected = pfib(N, Limit) end) end).

pfib(N, Limit) when N < Limit -> fib(N);
pfib(N, Limit) ->
    Parent = self(),
    Child = spawn_link(fun() -> Parent ! {self(), pfib(N - 1, Limit)} end),
    Own = pfib(N - 2, Limit),
    receive {Child, Other} -> Own + Other end.

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

forks(N, Limit) when N < Limit -> 0;
forks(N, Limit) -> 1 + forks(N - 1, Limit) + forks(N - 2, Limit).
