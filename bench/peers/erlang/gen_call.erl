%% SPDX-License-Identifier: BSD-2-Clause
%% Calls to a server process.
%% main([N])
%%   gen_call    the call written out: monitor the server, send the request
%%               with the monitor's reference, wait for the answer or for news
%%               of the server's death, drop the monitor
%%   gen_server  the same through OTP's own gen_server
%% One operation is one call. The server keeps a counter in a map.
-module(gen_call).
-behaviour(gen_server).
-export([main/1]).
-export([init/1, handle_call/3, handle_cast/2]).

main([Arg]) ->
    N = list_to_integer(Arg),
    bench:run("gen_call", N,
              fun() -> spawn_link(fun() -> loop(?MODULE, #{count => 0}) end) end,
              fun(Server) -> calls(Server, 1, N), Server ! stop end),
    bench:run("gen_server", N,
              fun() -> {ok, Server} = gen_server:start_link(?MODULE, [], []), Server end,
              fun(Server) -> otp_calls(Server, 1, N), gen_server:stop(Server) end).

%% The written-out client.
calls(_Server, I, N) when I > N -> ok;
calls(Server, I, N) -> I = call(Server, increment), calls(Server, I + 1, N).

call(Server, Request) ->
    Ref = monitor(process, Server),
    Server ! {call, {self(), Ref}, Request},
    receive
        {Ref, Reply} -> demonitor(Ref, [flush]), Reply;
        {'DOWN', Ref, process, Server, Reason} -> exit(Reason)
    after 5000 ->
            demonitor(Ref, [flush]),
            exit(timeout)
    end.

%% The written-out server: it calls back into a module it knows only by name.
loop(Module, State) ->
    receive
        {call, From = {Pid, Ref}, Request} ->
            {reply, Reply, NewState} = Module:handle_call(Request, From, State),
            Pid ! {Ref, Reply},
            loop(Module, NewState);
        stop -> ok
    end.

%% The OTP client.
otp_calls(_Server, I, N) when I > N -> ok;
otp_calls(Server, I, N) ->
    I = gen_server:call(Server, increment),
    otp_calls(Server, I + 1, N).

%% The callbacks, shared by both.
init([]) -> {ok, #{count => 0}}.

handle_call(increment, _From, State = #{count := Count}) ->
    {reply, Count + 1, State#{count := Count + 1}}.

handle_cast(_Message, State) -> {noreply, State}.
