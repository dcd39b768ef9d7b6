%% SPDX-License-Identifier: BSD-2-Clause
%% Takeuchi's function: deep calls with three arguments.
%% main([X, Y, Z, Times]): one operation is one whole tak(X, Y, Z).
%% tak(18, 12, 6) makes 63 609 calls and returns 7.
-module(tak).
-export([main/1]).

main(Args) ->
    [X, Y, Z, Times] = [list_to_integer(A) || A <- Args],
    Expected = if (X - Y) rem 2 =:= 0, Y > Z, X > Y -> Z + 1 end,
    bench:run("tak", Times,
              fun() -> bench:repeat(Times, fun() -> Expected = tak(X, Y, Z) end) end).

tak(X, Y, Z) when Y < X ->
    tak(tak(X - 1, Y, Z), tak(Y - 1, Z, X), tak(Z - 1, X, Y));
tak(_X, _Y, Z) -> Z.
