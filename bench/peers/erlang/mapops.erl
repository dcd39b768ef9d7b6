%% SPDX-License-Identifier: BSD-2-Clause
%% Immutable maps.
%% main([N, Times, LookupTimes, SmallN])
%%   map_build   insert N integer keys, in scattered order, into an empty map
%%   map_lookup  look up every one of the N keys
%%   map_update  replace the value of every one of the N keys
%%   map_small   SmallN times: read one key of a map with five symbol keys and
%%               write another
%% Building and updating are done Times times, looking up LookupTimes times;
%% one operation is one key.
-module(mapops).
-export([main/1]).

main(Args) ->
    [N, Times, LookupTimes, SmallN] = [list_to_integer(A) || A <- Args],
    Sum = N * (N - 1) div 2,
    Full = fun() -> build(N, N, #{}) end,
    bench:run("map_build", N * Times,
              fun() -> bench:repeat(Times, fun() -> N = map_size(Full()) end) end),
    bench:run("map_lookup", N * LookupTimes, Full,
              fun(Map) -> bench:repeat(LookupTimes, fun() -> Sum = lookup(N, N, Map, 0) end) end),
    bench:run("map_update", N * Times, Full,
              fun(Map) -> bench:repeat(Times, fun() -> N = map_size(update(N, N, Map)) end) end),
    bench:run("map_small", SmallN,
              fun() -> #{id => 1, name => none, count => 0, total => 0, kind => user} end,
              fun(Map) -> #{total := SmallN} = small(SmallN, Map) end).

%% The keys 0..N-1 in scattered order, each once (7919 is prime).
key(I, N) -> (I * 7919) rem N.

build(0, _N, Map) -> Map;
build(I, N, Map) -> build(I - 1, N, Map#{key(I, N) => I - 1}).

lookup(0, _N, _Map, Sum) -> Sum;
lookup(I, N, Map, Sum) -> lookup(I - 1, N, Map, Sum + maps:get(key(I, N), Map)).

update(0, _N, Map) -> Map;
update(I, N, Map) -> update(I - 1, N, Map#{key(I, N) := I}).

small(0, Map) -> Map;
small(N, Map = #{id := Id, total := Total}) -> small(N - 1, Map#{total := Total + Id}).
