%% SPDX-License-Identifier: BSD-2-Clause
%% All ways to put N queens on an N x N board, counted with lists.
%% main([N, Times]): one operation is one whole count. 10 queens: 724 ways.
-module(nqueens).
-export([main/1]).

main([NArg, TimesArg]) ->
    N = list_to_integer(NArg),
    Times = list_to_integer(TimesArg),
    Expected = element(N, {1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200}),
    bench:run("nqueens", Times,
              fun() -> bench:repeat(Times, fun() -> Expected = queens(N) end) end).

queens(N) -> place(N, N, []).

%% Left rows are still empty; Placed has the columns of the queens above.
place(0, _N, _Placed) -> 1;
place(Left, N, Placed) -> columns(N, Left, N, Placed, 0).

columns(0, _Left, _N, _Placed, Count) -> Count;
columns(Column, Left, N, Placed, Count) ->
    case safe(Column, 1, Placed) of
        true -> columns(Column - 1, Left, N, Placed,
                        Count + place(Left - 1, N, [Column | Placed]));
        false -> columns(Column - 1, Left, N, Placed, Count)
    end.

safe(_Column, _Distance, []) -> true;
safe(Column, Distance, [Other | Rest]) ->
    Column =/= Other
        andalso Column =/= Other + Distance
        andalso Column =/= Other - Distance
        andalso safe(Column, Distance + 1, Rest).
