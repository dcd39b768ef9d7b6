%% SPDX-License-Identifier: BSD-2-Clause
%% Building a long string out of short pieces, each "item <number>, ".
%% main([AppendN, PartsN])
%%   strcat_append  add AppendN pieces one by one to the end of a growing binary
%%   strcat_parts   collect PartsN pieces in a list and join them once at the end
%% One operation is one piece. The first is linear only in a VM that can grow
%% a binary in place; where each step copies it is quadratic.
-module(strcat).
-export([main/1]).

main([AppendArg, PartsArg]) ->
    AppendN = list_to_integer(AppendArg),
    PartsN = list_to_integer(PartsArg),
    AppendSize = expected_size(AppendN, 0),
    PartsSize = expected_size(PartsN, 0),
    bench:run("strcat_append", AppendN,
              fun() -> AppendSize = byte_size(append(1, AppendN, <<>>)) end),
    bench:run("strcat_parts", PartsN,
              fun() -> PartsSize = byte_size(parts(PartsN, [])) end).

append(I, N, Acc) when I > N -> Acc;
append(I, N, Acc) ->
    append(I + 1, N, <<Acc/binary, "item ", (integer_to_binary(I))/binary, ", ">>).

parts(0, Acc) -> iolist_to_binary(Acc);
parts(I, Acc) -> parts(I - 1, [<<"item ">>, integer_to_binary(I), <<", ">> | Acc]).

expected_size(0, Size) -> Size;
expected_size(I, Size) ->
    expected_size(I - 1, Size + length("item , ") + length(integer_to_list(I))).
