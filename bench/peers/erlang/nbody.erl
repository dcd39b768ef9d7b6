%% SPDX-License-Identifier: BSD-2-Clause
%% Planets under gravity: float arithmetic on immutable tuples.
%% main([Steps]): one operation is one step of the five bodies (ten pairs).
-module(nbody).
-export([main/1]).

-define(SOLAR_MASS, (4 * math:pi() * math:pi())).
-define(DAYS, 365.24).
-define(DT, 0.01).

main([Arg]) ->
    Steps = list_to_integer(Arg),
    bench:run("nbody", Steps, fun bodies/0,
              fun(Bodies) ->
                      Before = energy(Bodies),
                      After = energy(steps(Steps, Bodies)),
                      true = abs(Before + 0.169075164) < 1.0e-9,
                      true = abs(After - Before) < 1.0e-4
              end).

steps(0, Bodies) -> Bodies;
steps(N, Bodies) -> steps(N - 1, advance(Bodies)).

%% A body is {X, Y, Z, VX, VY, VZ, Mass}. Each body pulls on the ones after it
%% and is pulled by them; then nothing more needs its place and it can move.
advance([]) -> [];
advance([Body | Rest]) ->
    {Pulled, Others} = pull(Body, Rest, []),
    [move(Pulled) | advance(Others)].

pull(Body, [], Done) -> {Body, lists:reverse(Done)};
pull({X1, Y1, Z1, VX1, VY1, VZ1, M1}, [{X2, Y2, Z2, VX2, VY2, VZ2, M2} | Rest], Done) ->
    DX = X1 - X2,
    DY = Y1 - Y2,
    DZ = Z1 - Z2,
    Square = DX * DX + DY * DY + DZ * DZ,
    Mag = ?DT / (Square * math:sqrt(Square)),
    Mag1 = M1 * Mag,
    Mag2 = M2 * Mag,
    pull({X1, Y1, Z1, VX1 - DX * Mag2, VY1 - DY * Mag2, VZ1 - DZ * Mag2, M1}, Rest,
         [{X2, Y2, Z2, VX2 + DX * Mag1, VY2 + DY * Mag1, VZ2 + DZ * Mag1, M2} | Done]).

move({X, Y, Z, VX, VY, VZ, M}) ->
    {X + ?DT * VX, Y + ?DT * VY, Z + ?DT * VZ, VX, VY, VZ, M}.

energy([]) -> 0.0;
energy([{X, Y, Z, VX, VY, VZ, M} | Rest]) ->
    Kinetic = 0.5 * M * (VX * VX + VY * VY + VZ * VZ),
    Potential = lists:sum([M * M2 / math:sqrt((X - X2) * (X - X2) + (Y - Y2) * (Y - Y2)
                                              + (Z - Z2) * (Z - Z2))
                           || {X2, Y2, Z2, _, _, _, M2} <- Rest]),
    Kinetic - Potential + energy(Rest).

bodies() ->
    Planets = [planet(4.84143144246472090e+00, -1.16032004402742839e+00,
                      -1.03622044471123109e-01, 1.66007664274403694e-03,
                      7.69901118419740425e-03, -6.90460016972063023e-05,
                      9.54791938424326609e-04),
               planet(8.34336671824457987e+00, 4.12479856412430479e+00,
                      -4.03523417114321381e-01, -2.76742510726411899e-03,
                      4.99852801234917238e-03, 2.30417297573763929e-05,
                      2.85885980666130812e-04),
               planet(1.28943695621391310e+01, -1.51111514016986312e+01,
                      -2.23307578892655734e-01, 2.96460137564761618e-03,
                      2.37847173959480950e-03, -2.96589568540237556e-05,
                      4.36624404335156298e-05),
               planet(1.53796971148509165e+01, -2.59193146099879641e+01,
                      1.79258772950371181e-01, 2.68067772490389322e-03,
                      1.62824170038242295e-03, -9.51592254519715870e-05,
                      5.15138902046611451e-05)],
    %% The sun moves so that the whole stands still.
    {PX, PY, PZ} = lists:foldl(
                     fun({_, _, _, VX, VY, VZ, M}, {AX, AY, AZ}) ->
                             {AX + VX * M, AY + VY * M, AZ + VZ * M}
                     end, {0.0, 0.0, 0.0}, Planets),
    Sun = {0.0, 0.0, 0.0, -PX / ?SOLAR_MASS, -PY / ?SOLAR_MASS, -PZ / ?SOLAR_MASS,
           ?SOLAR_MASS},
    [Sun | Planets].

planet(X, Y, Z, VX, VY, VZ, Mass) ->
    {X, Y, Z, VX * ?DAYS, VY * ?DAYS, VZ * ?DAYS, Mass * ?SOLAR_MASS}.
