%% SPDX-License-Identifier: BSD-2-Clause
%% Request and reply while 1000 messages that match nothing lie in the mailbox.
%% main([ScanN, RefN])
%%   selective      ScanN round trips. The reply carries a number, so the
%%                  receiver has to look past all 1000 messages each time.
%%   selective_ref  RefN round trips. The reply carries a reference made just
%%                  before the request; no older message can match it, and a
%%                  VM may use that to skip the 1000 messages.
-module(selective).
-export([main/1]).

-define(UNMATCHED, 1000).

main([ScanArg, RefArg]) ->
    ScanN = list_to_integer(ScanArg),
    RefN = list_to_integer(RefArg),
    bench:run("selective", ScanN, fun setup/0, fun(Echo) -> by_number(Echo, ScanN) end),
    bench:run("selective_ref", RefN, fun setup/0, fun(Echo) -> by_ref(Echo, RefN) end).

setup() ->
    [self() ! {unmatched, I} || I <- lists:seq(1, ?UNMATCHED)],
    spawn_link(fun echo/0).

echo() ->
    receive
        {request, From, Tag} -> From ! {reply, Tag}, echo();
        stop -> ok
    end.

by_number(Echo, 0) -> Echo ! stop, ok;
by_number(Echo, N) ->
    Echo ! {request, self(), N},
    receive {reply, N} -> by_number(Echo, N - 1) end.

by_ref(Echo, 0) -> Echo ! stop, ok;
by_ref(Echo, N) ->
    Ref = make_ref(),
    Echo ! {request, self(), Ref},
    receive {reply, Ref} -> by_ref(Echo, N - 1) end.
