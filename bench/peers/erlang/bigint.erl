%% SPDX-License-Identifier: BSD-2-Clause
%% Integers that do not fit in a machine word.
%% main([FactN, FactTimes, Power, PowerTimes])
%%   bigint_fact    the factorial of FactN (2000! has 5736 digits)
%%   bigint_digits  2 to the power Power by squaring, then its decimal digits
%%                  as text, added up
%% One operation is one whole factorial, or one power with its digits.
-module(bigint).
-export([main/1]).

main(Args) ->
    [FactN, FactTimes, Power, PowerTimes] = [list_to_integer(A) || A <- Args],
    Fact = upwards(FactN, 1, 1),
    Digits = digit_sum(1 bsl Power),
    bench:run("bigint_fact", FactTimes,
              fun() -> bench:repeat(FactTimes, fun() -> Fact = fact(FactN) end) end),
    bench:run("bigint_digits", PowerTimes,
              fun() ->
                      bench:repeat(PowerTimes,
                                   fun() -> Digits = digit_sum(pow(2, Power)) end)
              end).

fact(0) -> 1;
fact(N) -> N * fact(N - 1).

%% The same product in another order of calls, for the check.
upwards(N, I, Acc) when I > N -> Acc;
upwards(N, I, Acc) -> upwards(N, I + 1, Acc * I).

pow(_Base, 0) -> 1;
pow(Base, N) when N rem 2 =:= 0 -> pow(Base * Base, N div 2);
pow(Base, N) -> Base * pow(Base, N - 1).

digit_sum(N) -> lists:sum([Digit - $0 || Digit <- integer_to_list(N)]).
