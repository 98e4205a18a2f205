%% Supervisor scenarios: starts the tree with OTP's `supervisor`, carries the steps out, and waits after each until nothing
%% more can happen without the next. What is seen is written down by `peer_recorder`.

-module(peer_tree).
-export([listen/1, run/2]).
-export([init/1, start_child/3, start_instance/4, worker/3, log/2]).

-record(tree, {recorder, root = none}).

%% Error reports are read where they are made, in the supervisor; everything else that OTP would log is not.
listen(#{reports := true}) ->
    ok = logger:set_primary_config(level, error),
    _ = logger:remove_handler(default),
    ok = logger:add_handler(peer, ?MODULE, #{});
listen(_) -> logger:set_primary_config(level, none).

log(#{msg := {report, #{label := {supervisor, Context}, report := Report}}}, _) ->
    case get(peer) of
        {Recorder, Path} ->
            Id = proplists:get_value(id, proplists:get_value(offender, Report)),
            Why = proplists:get_value(reason, Report),
            Line = ["report ", Path, $\s, peer_words:term(Context), $\s, peer_words:term(Id), $\s, peer_words:term(Why)],
            peer_recorder:note(Recorder, Line);
        undefined -> ok
    end;
log(_, _) -> ok.

run([<<"scenario">>, Name | Fields], _) ->
    process_flag(trap_exit, true),
    [Sup] = [Rest || [<<"sup">> | Rest] <- Fields],
    [Steps] = [Rest || [<<"steps">> | Rest] <- Fields],
    Recorder = peer_recorder:start(),
    {Result, Root} = start_root(Recorder, Sup),
    Tree = #tree{recorder = Recorder, root = Root},
    First = ended_step(Tree, "0 (init)", Result),
    Numbered = lists:enumerate(Steps),
    Others = [ended_step(Tree, [integer_to_list(N), $\s, peer_words:show(S)], step(S, Tree)) || {N, S} <- Numbered],
    Last = [<<"exit_root">>, <<"shutdown">>],
    End = ended_step(Tree, ["end ", peer_words:show(Last)], step(Last, Tree)),
    Leaked = [["leaked ", Path, $\n] || Path <- peer_recorder:finish(Recorder)],
    unlink(Recorder),
    exit(Recorder, kill),
    iolist_to_binary([<<"scenario ">>, Name, $\n, First, Others, End, Leaked, <<"end\n">>]).

start_root(Recorder, Sup) ->
    case supervisor:start_link(?MODULE, {Recorder, <<"root">>, Sup}) of
        {ok, Pid} ->
            ok = peer_recorder:started(Recorder, <<"root">>, Pid, role(Sup)),
            {"ok", Pid};
        ignore -> {"ignore", none};
        {error, Why} -> {["error ", peer_words:term(Why)], none}
    end.

ended_step(#tree{recorder = Recorder} = Tree, Title, Result) ->
    settle(Tree),
    Results = case Result of
        {each, Each} -> [[integer_to_list(N), "= ", One, $\n] || {N, One} <- lists:enumerate(Each)];
        One -> ["= ", One, $\n]
    end,
    ["step ", Title, $\n, peer_recorder:take(Recorder), Results].

%% A supervisor that answers has done what it had heard of before, and a restart that failed is tried again by a message of
%% the supervisor's to itself, which is an event. So when a round passes without an event, nothing is under way.
settle(#tree{recorder = Recorder} = Tree) ->
    Before = peer_recorder:version(Recorder),
    _ = [catch supervisor:count_children(Pid) || Pid <- peer_recorder:supervisors(Recorder)],
    ok = peer_recorder:until_orphans_ended(Recorder),
    case peer_recorder:version(Recorder) of
        Before -> ok;
        _ -> settle(Tree)
    end.

%% --- steps -----------------------------------------------------------------------------------------------------------

step([<<"wait">>, Time], _) ->
    timer:sleep(binary_to_integer(Time)),
    "ok";
step([<<"exit_root">>, Why], #tree{recorder = Recorder, root = Root}) ->
    case peer_recorder:lives_at(Recorder, <<"root">>) of
        nobody -> "noproc";
        {Root, _, _} ->
            exit(Root, peer_words:reason(Why)),
            until_gone(Root),
            "ok"
    end;
step([Op, Path | Rest], #tree{recorder = Recorder} = Tree) ->
    case peer_recorder:lives_at(Recorder, Path) of
        nobody -> "noproc";
        Who -> step(Op, Path, Rest, Who, Tree)
    end.

step(<<"crash">>, Path, [Why], Who, Tree) -> crash(Path, Why, Who, Tree);
step(<<"kill">>, Path, [], Who, Tree) -> kill(Path, Who, Tree);
step(<<"signal">>, Path, [<<"kill">>], Who, Tree) -> kill(Path, Who, Tree);
step(<<"signal">>, Path, [Why], {Pid, Role, IsOrphan}, #tree{recorder = Recorder}) ->
    peer_recorder:caused(Recorder, Path),
    {_, Stranger} = spawn_monitor(fun() -> exit(Pid, peer_words:reason(Why)) end),
    receive {'DOWN', Stranger, process, _, _} -> ok end,
    case Role of
        worker -> ask(Pid);
        hanging when not IsOrphan -> ask(Pid);
        _ -> ok
    end,
    "ok";
step(<<"stop">>, Path, [Why], {Pid, Role, _}, #tree{recorder = Recorder}) ->
    peer_recorder:caused(Recorder, Path),
    Reason = peer_words:reason(Why),
    case Role of
        worker -> Pid ! {peer, stop, Reason};
        _ -> catch sys:terminate(Pid, Reason, infinity)
    end,
    until_gone(Pid),
    "ok";
step(_, _, _, {_, Role, _}, _) when Role =/= static, Role =/= dynamic -> "badarg";
step(<<"batch">>, Path, Items, {Pid, _, _} = Who, Tree) ->
    ok = sys:suspend(Pid),
    Begun = [item(Item, Path, Who, Tree) || Item <- Items],
    ok = sys:resume(Pid),
    {each, [awaited(One) || One <- Begun]};
step(Op, Path, Rest, Who, Tree) -> request([Op | Rest], Path, Who, Tree).

crash(_, _, {_, Role, _}, _) when Role =:= static; Role =:= dynamic -> "badarg";
crash(Path, Why, {Pid, Role, IsOrphan}, #tree{recorder = Recorder}) ->
    peer_recorder:caused(Recorder, Path),
    Pid ! {peer, crash, peer_words:reason(Why)},
    %% One that hangs does not hear of it.
    Role =:= hanging andalso IsOrphan orelse until_gone(Pid),
    "ok".

kill(Path, {Pid, _, _}, #tree{recorder = Recorder}) ->
    peer_recorder:caused(Recorder, Path),
    exit(Pid, kill),
    until_gone(Pid),
    "ok".

%% Until a process has done what it had heard of before, or has ended.
ask(Pid) ->
    Monitor = monitor(process, Pid),
    Pid ! {peer, ask, self(), Monitor},
    receive
        Monitor -> demonitor(Monitor, [flush]);
        {'DOWN', Monitor, process, _, _} -> ok
    end.

until_gone(Pid) ->
    Monitor = monitor(process, Pid),
    receive {'DOWN', Monitor, process, _, _} -> ok end.

%% The supervisor is paused: what happens to its children and is asked of it queues up in this order.
item([Op, Id | Rest], Path, _, #tree{recorder = Recorder} = Tree) when Op =:= <<"crash">>; Op =:= <<"kill">> ->
    Child = <<Path/binary, $/, Id/binary>>,
    Result = case peer_recorder:lives_at(Recorder, Child) of
        nobody -> "noproc";
        Who -> step(Op, Child, Rest, Who, Tree)
    end,
    {known, Result};
item(Request, Path, {Pid, _, _} = Who, Tree) ->
    Before = queued(Pid),
    {_, Monitor} = spawn_monitor(fun() -> exit({result, request(Request, Path, Who, Tree)}) end),
    until_queued(Pid, Before, Monitor).

until_queued(Pid, Before, Monitor) ->
    receive
        {'DOWN', Monitor, process, _, {result, Result}} -> {known, Result}
    after 0 ->
        case queued(Pid) of
            Before ->
                erlang:yield(),
                until_queued(Pid, Before, Monitor);
            _ -> {asked, Monitor}
        end
    end.

queued(Pid) -> element(2, process_info(Pid, message_queue_len)).

awaited({known, Result}) -> Result;
awaited({asked, Monitor}) ->
    receive
        {'DOWN', Monitor, process, _, {result, Result}} -> Result;
        {'DOWN', Monitor, process, _, Why} -> ["!! ", peer_words:term(Why)]
    end.

%% --- requests --------------------------------------------------------------------------------------------------------

request(Request, Path, Who, Tree) ->
    try answer(Request, Path, Who, Tree)
    catch
        exit:{noproc, _} -> "noproc";
        exit:{Why, {gen_server, call, _}} -> ["down ", peer_words:term(Why)]
    end.

answer([<<"start_child">>, [<<"child">> | Child]], Path, {Pid, static, _}, #tree{recorder = Recorder}) ->
    case supervisor:start_child(Pid, spec(Recorder, Path, Child)) of
        {error, {Why, Spec}} when element(1, Spec) =:= child -> ["error start ", peer_words:term(Why)];
        Other -> started(Other)
    end;
answer([<<"start_dyn">>, Label], _, {Pid, dynamic, _}, _) ->
    started(supervisor:start_child(Pid, [Label]));
answer([<<"terminate_child">>, Id], Path, {Pid, Role, _}, Tree) ->
    Result = case named(Id, Path, Role, Tree) of
        nobody -> supervisor:terminate_child(Pid, peer_words:atom(Id));
        Instance -> supervisor:terminate_child(Pid, Instance)
    end,
    done(Result);
answer([<<"restart_child">>, Id], _, {Pid, _, _}, _) ->
    started(supervisor:restart_child(Pid, peer_words:atom(Id)));
answer([<<"delete_child">>, Id], _, {Pid, _, _}, _) ->
    done(supervisor:delete_child(Pid, peer_words:atom(Id)));
answer([<<"which_children">>], _, {Pid, Role, _}, #tree{recorder = Recorder}) ->
    Children = [iolist_to_binary(child(Child, Recorder)) || Child <- supervisor:which_children(Pid)],
    Listed = case Role of
        dynamic -> lists:sort(Children);
        static -> Children
    end,
    [$[, lists:join($\s, Listed), $]];
answer([<<"count_children">>], _, {Pid, _, _}, _) ->
    Counts = supervisor:count_children(Pid),
    Keys = [specs, active, supervisors, workers],
    lists:join($\s, [io_lib:format("~ts:~b", [Key, proplists:get_value(Key, Counts)]) || Key <- Keys]);
answer([<<"get_childspec">>, Id], _, {Pid, _, _}, _) ->
    case supervisor:get_childspec(Pid, peer_words:atom(Id)) of
        {ok, Spec} ->
            Keys = [restart, shutdown, type, significant],
            Field = fun(Key) -> [peer_words:term(Key), $:, peer_words:term(maps:get(Key, Spec, false))] end,
            lists:join($\s, [Field(Key) || Key <- Keys]);
        {error, Why} -> ["error ", peer_words:term(Why)]
    end;
answer(_, _, _, _) -> "badarg".

%% A label stands for the last process that had it.
named(Id, Path, dynamic, #tree{recorder = Recorder}) ->
    peer_recorder:last_at(Recorder, <<Path/binary, $/, Id/binary>>);
named(_, _, static, _) -> nobody.

started({ok, undefined}) -> "ok undefined";
started({ok, _}) -> "ok started";
started({error, Why}) -> ["error ", peer_words:term(Why)].

done(ok) -> "ok";
done({error, Why}) -> ["error ", peer_words:term(Why)].

child({Id, Pid, Type, _}, Recorder) ->
    State = case Pid of
        restarting -> "restarting";
        undefined -> "undefined";
        _ -> "up"
    end,
    [id(Id, Pid, Recorder), $:, State, $:, atom_to_list(Type)].

%% An instance has no id; its label is the last part of its path.
id(undefined, Pid, Recorder) when is_pid(Pid) ->
    lists:last(binary:split(peer_recorder:path_of(Recorder, Pid), <<"/">>, [global]));
id(undefined, _, _) -> "?";
id(Id, _, _) -> peer_words:term(Id).

%% --- what is started -------------------------------------------------------------------------------------------------

role(Sup) ->
    case field(<<"strategy">>, Sup) of
        {ok, [<<"simple_one_for_one">>]} -> dynamic;
        _ -> static
    end.

field(Key, Fields) ->
    case [Values || [Its | Values] <- Fields, Its =:= Key] of
        [Values | _] -> {ok, Values};
        [] -> none
    end.

%% OTP's callback. A field that is absent is not passed on.
init({Recorder, Path, Sup}) ->
    put(peer, {Recorder, Path}),
    case field(<<"init">>, Sup) of
        {ok, [<<"ignore">>]} -> ignore;
        {ok, [<<"raise">>]} -> error(boom);
        {ok, [<<"bad">>]} -> nonsense;
        _ ->
            Flags = passed([strategy, intensity, period, auto_shutdown], Sup),
            Start = case role(Sup) of
                dynamic -> start_instance;
                static -> start_child
            end,
            Children = [spec(Recorder, Path, Child, Start) || [<<"child">> | Child] <- Sup],
            {ok, {Flags, Children}}
    end.

passed(Keys, Fields) ->
    Known = [{Key, field(atom_to_binary(Key), Fields)} || Key <- Keys],
    maps:from_list([{Key, peer_words:value(Word)} || {Key, {ok, [Word]}} <- Known]).

spec(Recorder, Path, Child) -> spec(Recorder, Path, Child, start_child).

spec(Recorder, Path, Child, Start) ->
    Id = case field(<<"id">>, Child) of
        {ok, [Word]} -> #{id => peer_words:atom(Word)};
        none -> #{}
    end,
    Fields = maps:merge(Id, passed([restart, shutdown, type, significant], Child)),
    Fields#{start => {?MODULE, Start, [Recorder, Path, Child]}}.

start_child(Recorder, Above, Child) ->
    {ok, [Id]} = field(<<"id">>, Child),
    start_instance(Recorder, Above, Child, Id).

%% Runs in the supervisor.
start_instance(Recorder, Above, Child, Name) ->
    Path = <<Above/binary, $/, Name/binary>>,
    Outcome = outcome(Child, peer_recorder:attempt(Recorder, Path)),
    {Started, Role} = case {Outcome, field(<<"sup">>, Child)} of
        {<<"ignore">>, _} -> {ignore, none};
        {<<"fail">>, _} -> {{error, boom}, none};
        {<<"fail:", Why/binary>>, _} -> {{error, peer_words:reason(Why)}, none};
        {<<"raise">>, {ok, _}} -> {supervisor:start_link(?MODULE, {Recorder, Path, [[<<"init">>, <<"raise">>]]}), none};
        {_, {ok, Sup}} -> {supervisor:start_link(?MODULE, {Recorder, Path, Sup}), role(Sup)};
        {_, none} -> {proc_lib:start_link(?MODULE, worker, [self(), Child, Outcome]), worker(Child)}
    end,
    case Started of
        {ok, Pid} -> peer_recorder:started(Recorder, Path, Pid, Role);
        ignore -> peer_recorder:note(Recorder, ["start ", Path, " ignore"]);
        {error, Because} -> peer_recorder:note(Recorder, ["start ", Path, " fail ", peer_words:term(Because)])
    end,
    Started.

%% What the attempt of this number does; the last outcome holds for ever.
outcome(Child, Attempt) ->
    case field(<<"starts">>, Child) of
        {ok, Outcomes} -> lists:nth(min(Attempt, length(Outcomes)), Outcomes);
        none -> <<"ok">>
    end.

%% --- a worker --------------------------------------------------------------------------------------------------------

traps(Child) -> field(<<"trap">>, Child) =:= {ok, [<<"yes">>]}.

stop(Child) ->
    case field(<<"stop">>, Child) of
        {ok, [<<"hang">>]} -> infinity;
        {ok, [Time]} -> binary_to_integer(Time);
        none -> 0
    end.

worker(Child) ->
    case traps(Child) andalso stop(Child) of
        infinity -> hanging;
        _ -> worker
    end.

worker(_, _, <<"raise">>) -> error(boom);
worker(Above, Child, _) ->
    process_flag(trap_exit, traps(Child)),
    proc_lib:init_ack({ok, self()}),
    work(Above, stop(Child)).

work(Above, Stop) ->
    receive
        {'EXIT', Above, Why} -> terminate(Why, Stop);
        {'EXIT', _, _} -> work(Above, Stop);
        {peer, stop, Why} -> terminate(Why, Stop);
        {peer, crash, {error, Raised}} -> error(Raised);
        {peer, crash, Why} -> exit(Why);
        {peer, ask, From, Answer} ->
            From ! Answer,
            work(Above, Stop)
    end.

terminate(Why, Stop) ->
    timer:sleep(Stop),
    exit(Why).
