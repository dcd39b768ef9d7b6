%% SPDX-License-Identifier: BSD-2-Clause
%% Parses a binary of about 10 MB as records of type, length and value:
%%     type: 1 byte, length: 2 bytes (high byte first), value: length bytes
%% Type 1 holds a 32-bit integer, type 2 text, type 3 a 64-bit float.
%% main([Bytes, Times]): one operation is one record.
-module(binmatch).
-export([main/1]).

main([BytesArg, TimesArg]) ->
    Bytes = list_to_integer(BytesArg),
    Times = list_to_integer(TimesArg),
    {Binary, Records} = build(Bytes),
    Expected = parse(Binary, 0, 0, 0, 0.0),
    Records = element(1, Expected),
    bench:run("binmatch", Records * Times,
              fun() -> bench:repeat(Times, fun() -> Expected = parse(Binary, 0, 0, 0, 0.0) end) end).

build(Bytes) -> build(Bytes, 0, []).

build(Left, I, Acc) when Left =< 0 -> {iolist_to_binary(Acc), I};
build(Left, I, Acc) ->
    Value = value(I rem 3 + 1, I),
    Length = byte_size(Value),
    build(Left - 3 - Length, I + 1, [<<(I rem 3 + 1):8, Length:16, Value/binary>> | Acc]).

value(1, I) -> <<I:32>>;
value(2, I) -> binary:copy(<<"x">>, 10 + I rem 40);
value(3, I) -> <<(I / 2):64/float>>.

%% Returns {records, sum of integers, bytes of text, sum of floats}.
parse(<<Type:8, Length:16, Value:Length/binary, Rest/binary>>, Count, Ints, Text, Floats) ->
    case Type of
        1 -> <<Int:32>> = Value,
             parse(Rest, Count + 1, Ints + Int, Text, Floats);
        2 -> parse(Rest, Count + 1, Ints, Text + byte_size(Value), Floats);
        3 -> <<Float:64/float>> = Value,
             parse(Rest, Count + 1, Ints, Text, Floats + Float)
    end;
parse(<<>>, Count, Ints, Text, Floats) -> {Count, Ints, Text, Floats}.
