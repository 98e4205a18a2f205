%% Process scenarios: processes that do as they are told, one step at a time, and what each hears of it. A process keeps
%% what it hears where OTP keeps it, in its message queue, so that what is flushed is flushed by OTP.

-module(peer_procs).
-export([run/2]).

%% `slot` sets names apart from those of scenarios that run at the same time. Names of processes are words.
-record(play, {
    slot,
    order = [],             % names of processes, the newest first
    pids = #{},             % by name
    names = #{},            % by pid
    labels = #{},           % references of monitors and aliases, by name
    references = #{},       % names of monitors and aliases, by reference
    monitors = #{},         % the driver's own: whose end each tells
    dead = [],              % names, of all that have ended
    news = [],              % of this step: {Name, Why}
    heard = #{}             % what stood in each queue when it was last looked at, by name
}).

run([<<"procs">>, Name | Fields], Slot) ->
    [Steps] = [Rest || [<<"steps">> | Rest] <- Fields],
    {Lines, Play} = lists:mapfoldl(fun step/2, #play{slot = Slot}, Steps),
    sweep(Play),
    iolist_to_binary([<<"procs ">>, Name, $\n, Lines, <<"end\n">>]).

%% Whoever lives is killed. Names are free when this is over.
sweep(#play{pids = Pids, monitors = Monitors}) ->
    _ = [exit(Pid, kill) || Pid <- maps:values(Pids)],
    _ = [receive {'DOWN', Monitor, process, _, _} -> ok end || Monitor <- maps:keys(Monitors)],
    ok.

step(Step, Play) ->
    {Result, Done} =
        try act(Step, Play)
        catch throw:unknown -> {"unknown", Play}
        end,
    {Queues, Settled} = settled(Done),
    {Heard, Read} = lists:mapfoldl(fun arrivals/2, Settled, Queues),
    Ends = lists:reverse(Read#play.order),
    Dead = [["dead ", Name, $\s, peer_words:term(Why), $\n] || Name <- Ends, {Its, Why} <- Read#play.news, Its =:= Name],
    Lines = ["step ", peer_words:show(Step), $\n, Dead, Heard, "= ", Result, $\n],
    {Lines, Read#play{news = []}}.

%% A process that answers has dealt with all that was sent to it before, and only an end sends anything further: when all
%% have answered and none has ended meanwhile, nothing is under way. With what stands in the queue of each.
settled(#play{news = News} = Play) ->
    Ask = fun(Name, {Queues, Now}) ->
        case tell(Name, fun() -> process_info(self(), messages) end, Now) of
            {{answer, {messages, Queue}}, Next} -> {[{Name, Queue} | Queues], Next};
            {dead, Next} -> {Queues, Next}
        end
    end,
    {Queues, Later} = lists:foldl(Ask, {[], Play}, Play#play.order),
    case read_ends(Later) of
        #play{news = News} = Quiet -> {Queues, Quiet};
        Other -> settled(Other)
    end.

%% --- what a process does ---------------------------------------------------------------------------------------------

%% It acts on orders only; everything else that it is sent stays in its queue.
live() ->
    receive
        {'$order', Monitor, Driver, Deed} ->
            %% An end is a result of its own: it is said first.
            case Deed() of
                {ending, End} ->
                    Driver ! {Monitor, ok},
                    End();
                Answer ->
                    Driver ! {Monitor, Answer},
                    live()
            end
    end.

%% What comes of an order: an answer, or the end of whoever was to carry it out.
tell(Name, Deed, #play{pids = Pids} = Play) ->
    case lists:member(Name, Play#play.dead) of
        true -> {dead, Play};
        false ->
            Pid = maps:get(Name, Pids),
            Monitor = monitor(process, Pid),
            Pid ! {'$order', Monitor, self(), Deed},
            receive
                {Monitor, Answer} ->
                    demonitor(Monitor, [flush]),
                    {{answer, Answer}, Play};
                {'DOWN', Monitor, process, _, _} -> {dead, read_ends(Play)}
            end
    end.

%% What the driver has heard of ends.
read_ends(#play{monitors = Monitors, dead = Dead, news = News} = Play) ->
    receive
        {'DOWN', Monitor, process, _, Why} when is_map_key(Monitor, Monitors) ->
            {Name, Others} = maps:take(Monitor, Monitors),
            read_ends(Play#play{monitors = Others, dead = [Name | Dead], news = [{Name, Why} | News]})
    after 0 -> Play
    end.

welcome(Name, Pid, #play{order = Order, pids = Pids, names = Names, monitors = Monitors} = Play) ->
    Play#play{
        order = [Name | Order],
        pids = Pids#{Name => Pid},
        names = Names#{Pid => Name},
        monitors = Monitors#{monitor(process, Pid) => Name}
    }.

labelled(Label, Reference, #play{labels = Labels, references = References} = Play) ->
    Play#play{labels = Labels#{Label => Reference}, references = References#{Reference => Label}}.

%% --- steps -----------------------------------------------------------------------------------------------------------

act([<<"spawn">>, A], Play) -> {"ok", welcome(A, spawn(fun live/0), Play)};
act([<<"whereis">>, Name], Play) ->
    case whereis(registered_name(Name, Play)) of
        undefined -> {"undefined", Play};
        Pid -> {name(Pid, Play), Play}
    end;
act([<<"alive">>, A], Play) -> {atom_to_list(is_process_alive(pid(A, Play))), Play};
act([Op, A | Rest], Play) ->
    _ = pid(A, Play),
    case tell(A, deed(Op, A, Rest, Play), Play) of
        {dead, Next} -> {"dead", Next};
        {{answer, {started, Pid}}, Next} -> {"ok", welcome(hd(Rest), Pid, Next)};
        {{answer, {started, Pid, Monitor}}, Next} ->
            [Label, B] = Rest,
            {"ok", labelled(Label, Monitor, welcome(B, Pid, Next))};
        {{answer, {made, Reference}}, Next} -> {"ok", labelled(hd(Rest), Reference, Next)};
        {{answer, {pids, Pids}}, Next} -> {set([name(Pid, Next) || Pid <- Pids]), Next};
        {{answer, {targets, Targets}}, Next} -> {set([target(Target, Next) || {process, Target} <- Targets]), Next};
        {{answer, Answer}, Next} -> {peer_words:term(Answer), Next}
    end.

%% What is carried out in the process itself.
deed(<<"spawn_link">>, _, [_], _) -> fun() -> {started, spawn_link(fun live/0)} end;
deed(<<"spawn_monitor">>, _, [_, _], _) ->
    fun() ->
        {Pid, Monitor} = spawn_monitor(fun live/0),
        {started, Pid, Monitor}
    end;
deed(<<"trap">>, _, [Whether], _) ->
    Traps = Whether =:= <<"yes">>,
    fun() -> process_flag(trap_exit, Traps) end;
deed(<<"link">>, _, [B], Play) ->
    Pid = pid(B, Play),
    fun() ->
        try link(Pid)
        catch error:noproc -> <<"error noproc">>
        end
    end;
deed(<<"unlink">>, _, [B], Play) ->
    Pid = pid(B, Play),
    fun() -> unlink(Pid) end;
deed(<<"exit">>, _, [Why], _) ->
    Reason = peer_words:reason(Why),
    fun() -> {ending, fun() -> exit(Reason) end} end;
deed(<<"raise">>, _, [What], _) ->
    Reason = peer_words:atom(What),
    fun() -> {ending, fun() -> error(Reason) end} end;
deed(<<"throw">>, _, [What], _) ->
    Thrown = peer_words:atom(What),
    fun() -> {ending, fun() -> throw(Thrown) end} end;
deed(<<"return">>, _, [], _) -> fun() -> {ending, fun() -> ok end} end;
deed(<<"signal">>, _, [B, Why], Play) ->
    {Pid, Reason} = {pid(B, Play), peer_words:reason(Why)},
    fun() -> exit(Pid, Reason) end;
deed(<<"monitor">>, _, [_, B], Play) ->
    Pid = pid(B, Play),
    fun() -> {made, monitor(process, Pid)} end;
deed(<<"monitor_name">>, _, [_, Name], Play) ->
    Registered = registered_name(Name, Play),
    fun() -> {made, monitor(process, Registered)} end;
deed(<<"monitor_tag">>, _, [_, B, Tag], Play) ->
    {Pid, Begins} = {pid(B, Play), peer_words:atom(Tag)},
    fun() -> {made, monitor(process, Pid, [{tag, Begins}])} end;
deed(<<"monitor_alias">>, _, [_, B, Ends], Play) ->
    {Pid, Mode} = {pid(B, Play), peer_words:atom(Ends)},
    fun() -> {made, monitor(process, Pid, [{alias, Mode}])} end;
deed(<<"demonitor">>, _, [Label | Words], Play) ->
    {Reference, Options} = {reference(Label, Play), [peer_words:atom(Word) || Word <- Words]},
    fun() -> or_badarg(fun() -> demonitor(Reference, Options) end) end;
deed(<<"alias">>, _, [_ | Words], _) ->
    Options = [peer_words:atom(Word) || Word <- Words],
    fun() -> {made, alias(Options)} end;
deed(<<"unalias">>, _, [Label], Play) ->
    Reference = reference(Label, Play),
    fun() -> unalias(Reference) end;
deed(<<"send">>, A, [B, Text], Play) ->
    Pid = pid(B, Play),
    fun() -> sent(Pid ! {msg, A, Text}) end;
deed(<<"send_alias">>, A, [Label, Text], Play) ->
    Reference = reference(Label, Play),
    fun() -> sent(Reference ! {msg, A, Text}) end;
deed(<<"send_name">>, A, [Name, Text], Play) ->
    Registered = registered_name(Name, Play),
    fun() -> or_badarg(fun() -> sent(Registered ! {msg, A, Text}) end) end;
deed(<<"register">>, _, [Name, B], Play) ->
    {Registered, Pid} = {registered_name(Name, Play), pid(B, Play)},
    fun() -> or_badarg(fun() -> register(Registered, Pid) end) end;
deed(<<"unregister">>, _, [Name], Play) ->
    Registered = registered_name(Name, Play),
    fun() -> or_badarg(fun() -> unregister(Registered) end) end;
deed(<<"links">>, _, [], _) ->
    fun() ->
        {links, Linked} = process_info(self(), links),
        {pids, Linked}
    end;
deed(<<"monitors">>, _, [], _) ->
    fun() ->
        {monitors, Monitored} = process_info(self(), monitors),
        {targets, Monitored}
    end;
deed(<<"trapping">>, _, [], _) -> fun() -> element(2, process_info(self(), trap_exit)) end.

sent(_) -> ok.

or_badarg(Deed) ->
    try Deed()
    catch error:badarg -> <<"error badarg">>
    end.

%% --- what was seen ---------------------------------------------------------------------------------------------------

%% Lines of what has gone out of the queue of a process since it was last looked at, and of what has come.
arrivals({Name, Queue}, #play{heard = Heard} = Play) ->
    {Gone, Came} = difference(maps:get(Name, Heard, []), Queue),
    Went = [[Name, " -- ", message(Message, Play), $\n] || Message <- Gone],
    %% Stable: nothing is promised between senders, and messages of one keep their order.
    Ranked = lists:keysort(1, [{rank(Message, Play), message(Message, Play)} || Message <- Came]),
    {[Went, [[Name, " <- ", Text, $\n] || {_, Text} <- Ranked]], Play#play{heard = Heard#{Name => Queue}}}.

%% Messages leave from anywhere, and come at the end.
difference([Message | Before], [Message | Now]) -> difference(Before, Now);
difference([Message | Before], Now) ->
    {Gone, Came} = difference(Before, Now),
    {[Message | Gone], Came};
difference([], Came) -> {[], Came}.

%% By sender; of one sender messages before the signals of its end, and those by their text.
rank({msg, From, _}, _) -> {From, <<>>};
rank({'EXIT', Pid, _} = Message, Play) -> {name(Pid, Play), message(Message, Play)};
rank({_, _, process, Pid, _} = Message, Play) when is_pid(Pid) -> {name(Pid, Play), message(Message, Play)};
%% By whom, a name does not say: its monitor stands for it.
rank({_, Reference, process, _, _} = Message, Play) ->
    {maps:get(Reference, Play#play.references, <<"?">>), message(Message, Play)}.

message({msg, From, Text}, _) -> iolist_to_binary(["(msg ", From, $\s, Text, $)]);
message({'EXIT', Pid, Why}, Play) ->
    iolist_to_binary(["(EXIT ", name(Pid, Play), $\s, peer_words:term(Why), $)]);
message({Tag, Reference, process, Target, Why}, #play{references = References} = Play) ->
    Label = maps:get(Reference, References, <<"?">>),
    Words = [peer_words:term(Tag), Label, target(Target, Play), peer_words:term(Why)],
    iolist_to_binary([$(, lists:join($\s, Words), $)]).

target(Pid, Play) when is_pid(Pid) -> name(Pid, Play);
target({Name, _}, Play) -> scenario_name(Name, Play).

set(Names) -> [${, lists:join($\s, lists:sort(Names)), $}].

name(Pid, #play{names = Names}) -> maps:get(Pid, Names, <<"?">>).

pid(Name, #play{pids = Pids}) -> known(Name, Pids).

reference(Label, #play{labels = Labels}) -> known(Label, Labels).

known(Name, Table) ->
    case Table of
        #{Name := Known} -> Known;
        _ -> throw(unknown)
    end.

%% `undefined` is nobody's name in OTP, and stays.
registered_name(<<"undefined">>, _) -> undefined;
registered_name(Name, Play) -> peer_words:atom(<<(prefix(Play))/binary, Name/binary>>).

scenario_name(Name, Play) ->
    Text = atom_to_binary(Name),
    case string:prefix(Text, prefix(Play)) of
        nomatch -> Text;
        Word -> Word
    end.

prefix(#play{slot = Slot}) -> <<(integer_to_binary(Slot))/binary, $$>>.
