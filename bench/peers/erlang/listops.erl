%% SPDX-License-Identifier: BSD-2-Clause
%% map, filter and fold over a long list, each with a closure.
%% main([N, Times]): one operation is one list element through all three.
%% The first list is built before the clock starts.
-module(listops).
-export([main/1]).

main([NArg, TimesArg]) ->
    N = list_to_integer(NArg),
    Times = list_to_integer(TimesArg),
    %% Of 1..N, each plus 1: the sum of the even ones.
    Half = (N + 1) div 2,
    Expected = Half * (Half + 1),
    bench:run("listops", N * Times,
              fun() -> lists:seq(1, N) end,
              fun(List) -> bench:repeat(Times, fun() -> Expected = pass(List, 1) end) end).

pass(List, Step) ->
    Mapped = lists:map(fun(X) -> X + Step end, List),
    Even = lists:filter(fun(X) -> X rem 2 =:= 0 end, Mapped),
    lists:foldl(fun(X, Sum) -> X + Sum end, 0, Even).
