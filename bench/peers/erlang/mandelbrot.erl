%% SPDX-License-Identifier: BSD-2-Clause
%% Counts the points of a grid that stay bounded: float loops, no data.
%% main([Side, Times]): Side x Side points, at most 50 steps each, done Times
%% times. One operation is one point.
-module(mandelbrot).
-export([main/1]).

-define(STEPS, 50).

main([SideArg, TimesArg]) ->
    Side = list_to_integer(SideArg),
    Times = list_to_integer(TimesArg),
    bench:run("mandelbrot", Side * Side * Times,
              fun() -> bench:repeat(Times, fun() -> check(rows(Side, Side, 0), Side) end) end).

%% The set covers about 0.17 of the square; 50 steps let a little more through.
check(Inside, Side) ->
    Share = Inside / (Side * Side),
    true = Share > 0.16 andalso Share < 0.20.

rows(0, _Side, Inside) -> Inside;
rows(Row, Side, Inside) ->
    Y = 3.0 * Row / Side - 1.5,
    rows(Row - 1, Side, points(Side, Side, Y, Inside)).

points(0, _Side, _Y, Inside) -> Inside;
points(Column, Side, Y, Inside) ->
    X = 3.0 * Column / Side - 2.0,
    points(Column - 1, Side, Y, Inside + stays(X, Y, 0.0, 0.0, ?STEPS)).

stays(_X, _Y, _A, _B, 0) -> 1;
stays(X, Y, A, B, Left) ->
    A2 = A * A,
    B2 = B * B,
    if A2 + B2 > 4.0 -> 0;
       true -> stays(X, Y, A2 - B2 + X, 2.0 * A * B + Y, Left - 1)
    end.
