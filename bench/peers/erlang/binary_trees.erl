%% SPDX-License-Identifier: BSD-2-Clause
%% Binary trees: many small short-lived objects, and one large tree that stays.
%% main([Depth, Times]): one operation is one tree node built and visited.
-module(binary_trees).
-export([main/1]).

-define(MIN_DEPTH, 4).

main([DepthArg, TimesArg]) ->
    Depth = list_to_integer(DepthArg),
    Times = list_to_integer(TimesArg),
    Depths = lists:seq(?MIN_DEPTH, Depth, 2),
    Nodes = nodes_in(Depth + 1) + nodes_in(Depth)
        + lists:sum([trees(D, Depth) * nodes_in(D) || D <- Depths]),
    bench:run("binary_trees", Nodes * Times,
              fun() -> bench:repeat(Times, fun() -> Nodes = all(Depth, Depths) end) end).

all(Depth, Depths) ->
    Stretch = count(make(Depth + 1)),
    LongLived = make(Depth),
    Short = lists:sum([many(trees(D, Depth), D, 0) || D <- Depths]),
    Stretch + count(LongLived) + Short.

%% How many trees of depth D are built: fewer the deeper they are.
trees(D, Depth) -> 1 bsl (Depth - D + ?MIN_DEPTH).

nodes_in(D) -> (1 bsl (D + 1)) - 1.

many(0, _D, Sum) -> Sum;
many(N, D, Sum) -> many(N - 1, D, Sum + count(make(D))).

make(0) -> {nil, nil};
make(D) -> {make(D - 1), make(D - 1)}.

count({nil, nil}) -> 1;
count({Left, Right}) -> 1 + count(Left) + count(Right).
