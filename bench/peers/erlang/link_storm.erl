%% SPDX-License-Identifier: BSD-2-Clause
%% Links and crashes.
%% main([Children, Restarts, Kills])
%%   link_storm  A supervisor starts Children linked processes; each crashes as
%%               soon as it runs. The supervisor hears of it, finds the child
%%               in its map and starts it again, Restarts times for each child.
%%               One operation is one crash handled.
%%   link_kill   A hub starts Children linked processes, which wait. The hub
%%               crashes and takes all of them with it; a watcher has a monitor
%%               on each and waits for the last. Done Kills times. One
%%               operation is one process started, linked, watched and killed.
-module(link_storm).
-export([main/1]).

main(Args) ->
    [Children, Restarts, Kills] = [list_to_integer(A) || A <- Args],
    bench:run("link_storm", Children * (Restarts + 1),
              fun() -> supervisor(Children, Restarts) end),
    bench:run("link_kill", Children * Kills,
              fun() -> bench:repeat(Kills, fun() -> kill_all(Children) end) end).

supervisor(Children, Restarts) ->
    process_flag(trap_exit, true),
    Started = maps:from_list([{start_child(), {Id, Restarts}} || Id <- lists:seq(1, Children)]),
    Children = supervise(Started, 0).

%% Returns the number of children that have used up their restarts.
supervise(Running, Ended) when map_size(Running) =:= 0 -> Ended;
supervise(Running, Ended) ->
    receive
        {'EXIT', Pid, crash} ->
            case maps:take(Pid, Running) of
                {{_Id, 0}, Rest} -> supervise(Rest, Ended + 1);
                {{Id, Left}, Rest} -> supervise(Rest#{start_child() => {Id, Left - 1}}, Ended)
            end
    end.

start_child() -> spawn_link(fun() -> exit(crash) end).

kill_all(Children) ->
    Watcher = self(),
    Hub = spawn(fun() ->
                        Watcher ! [spawn_link(fun() -> receive never -> ok end end)
                                   || _ <- lists:seq(1, Children)],
                        receive crash -> exit(crash) end
                end),
    Pids = receive List when is_list(List) -> List end,
    Refs = [monitor(process, Pid) || Pid <- Pids],
    Hub ! crash,
    lists:foreach(fun(Ref) -> receive {'DOWN', Ref, process, _, crash} -> ok end end, Refs).
