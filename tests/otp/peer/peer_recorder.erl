%% Writes down what happens to the processes of one scenario, in the order in which it happens; a process of its own.
%% Most of that order means something; the ends of children that are told at once, and of orphans, are sets, which is
%% what `~` says. Asks nobody for anything.

-module(peer_recorder).
-export([start/0, attempt/2, started/4, note/2, caused/2]).
-export([lives_at/2, last_at/2, path_of/2, supervisors/1, version/1, until_orphans_ended/1, take/1, finish/1]).

-record(process, {path, above, role, alive = true}).
-record(state, {
    events = [],            % the newest first: {ordered | orphan | {dynamic, Path, Instance}, Text}
    version = 0,            % how many there have been
    processes = #{},        % by pid
    living = #{},           % by path, the last that came to live there; whoever has ended is not in it
    last = #{},             % by path, the last that ever lived there
    dynamic = [],           % paths of dynamic supervisors
    attempts = #{},         % by path
    caused = none,          % the path whose next end the step itself brings about
    waiting = []            % who waits for the orphans
}).

start() -> spawn_link(fun() -> loop(#state{}) end).

%% Which attempt to start this path it is, from 1.
attempt(Recorder, Path) -> call(Recorder, {attempt, Path}).

%% A process has started, beneath the caller. From now on its end is seen.
started(Recorder, Path, Pid, Role) -> call(Recorder, {started, Path, Pid, self(), Role}).

note(Recorder, Text) ->
    Recorder ! {note, Text},
    ok.

%% The next end at this path has its cause in the step, so that its place means something in any case.
caused(Recorder, Path) -> call(Recorder, {caused, Path}).

lives_at(Recorder, Path) -> call(Recorder, {lives_at, Path}).

last_at(Recorder, Path) -> call(Recorder, {last_at, Path}).

path_of(Recorder, Pid) -> call(Recorder, {path_of, Pid}).

supervisors(Recorder) -> call(Recorder, supervisors).

version(Recorder) -> call(Recorder, version).

until_orphans_ended(Recorder) -> call(Recorder, until_orphans_ended).

%% The lines of what has happened since this was last asked.
take(Recorder) -> call(Recorder, take).

%% Who is left, by path; they are killed.
finish(Recorder) -> call(Recorder, finish).

call(Recorder, Question) ->
    Monitor = monitor(process, Recorder),
    Recorder ! {Monitor, self(), Question},
    receive
        {Monitor, Answer} ->
            demonitor(Monitor, [flush]),
            Answer;
        {'DOWN', Monitor, process, _, _} -> exit(shutdown)
    end.

loop(State) ->
    receive
        {note, Text} -> loop(push(ordered, Text, State));
        {'DOWN', _, process, Pid, Why} -> loop(release(ended(Pid, Why, State)));
        {Monitor, From, until_orphans_ended} ->
            loop(release(State#state{waiting = [{Monitor, From} | State#state.waiting]}));
        {Monitor, From, Question} ->
            {Answer, Next} = answer(Question, State),
            From ! {Monitor, Answer},
            loop(Next)
    end.

answer({attempt, Path}, #state{attempts = Attempts} = State) ->
    Number = maps:get(Path, Attempts, 0) + 1,
    {Number, State#state{attempts = Attempts#{Path => Number}}};
answer({started, Path, Pid, Above, Role}, State) ->
    #state{processes = Processes, living = Living, last = Last, dynamic = Dynamic} = State,
    monitor(process, Pid),
    Known = State#state{
        processes = Processes#{Pid => #process{path = Path, above = Above, role = Role}},
        living = Living#{Path => Pid},
        last = Last#{Path => Pid},
        dynamic = case Role of
            dynamic -> lists:usort([Path | Dynamic]);
            _ -> Dynamic
        end
    },
    {ok, push(ordered, ["start ", Path, " ok"], Known)};
answer({caused, Path}, State) -> {ok, State#state{caused = Path}};
answer({lives_at, Path}, #state{living = Living, processes = Processes} = State) ->
    Who = case Living of
        #{Path := Pid} ->
            #process{role = Role} = Process = maps:get(Pid, Processes),
            {Pid, Role, is_orphan(Process, State)};
        _ -> nobody
    end,
    {Who, State};
answer({last_at, Path}, State) -> {maps:get(Path, State#state.last, nobody), State};
answer({path_of, Pid}, State) -> {(maps:get(Pid, State#state.processes))#process.path, State};
answer(supervisors, #state{living = Living, processes = Processes} = State) ->
    Is = fun(Pid) -> lists:member((maps:get(Pid, Processes))#process.role, [static, dynamic]) end,
    {[Pid || Pid <- maps:values(Living), Is(Pid)], State};
answer(version, State) -> {State#state.version, State};
answer(take, #state{events = Events} = State) ->
    {lines(lists:reverse(Events)), State#state{events = [], caused = none}};
answer(finish, #state{processes = Processes} = State) ->
    Left = [{Path, Pid} || {Pid, #process{path = Path, alive = true}} <- maps:to_list(Processes)],
    _ = [exit(Pid, kill) || {_, Pid} <- Left],
    {lists:sort([Path || {Path, _} <- Left]), State}.

push(Tag, Text, #state{events = Events, version = Version} = State) ->
    State#state{events = [{Tag, iolist_to_binary(Text)} | Events], version = Version + 1}.

ended(Pid, Why, #state{processes = Processes, living = Living} = State) ->
    #process{path = Path} = Process = maps:get(Pid, Processes),
    Left = case Living of
        #{Path := Pid} -> maps:remove(Path, Living);
        _ -> Living
    end,
    Next = State#state{processes = Processes#{Pid := Process#process{alive = false}}, living = Left},
    {Tag, Cleared} = tag(Process, Next),
    push(Tag, ["exit ", Path, $\s, peer_words:term(Why)], Cleared).

tag(#process{path = Path} = Process, #state{caused = Caused} = State) ->
    case is_orphan(Process, State) of
        true -> {orphan, State};
        false when Path =:= Caused -> {ordered, State#state{caused = none}};
        false -> {beneath(Path, State#state.dynamic), State}
    end.

%% Whether anybody above has ended. The driver, above the root, is not known and does not end.
is_orphan(#process{above = Above}, #state{processes = Processes} = State) ->
    case Processes of
        #{Above := #process{alive = false}} -> true;
        #{Above := Higher} -> is_orphan(Higher, State);
        _ -> false
    end.

%% Ends beneath a dynamic supervisor may be concurrent; the outermost counts.
beneath(_, []) -> ordered;
beneath(Path, [Dynamic | Rest]) ->
    Length = byte_size(Dynamic),
    case Path of
        <<Dynamic:Length/binary, $/, Below/binary>> -> {dynamic, Dynamic, hd(binary:split(Below, <<"/">>))};
        _ -> beneath(Path, Rest)
    end.

%% Lets those go on who wait for the orphans, if there are none but such as never end.
release(#state{waiting = []} = State) -> State;
release(#state{processes = Processes, waiting = Waiting} = State) ->
    Ends = fun(#process{alive = Alive, role = Role} = Process) ->
        Alive andalso Role =/= hanging andalso is_orphan(Process, State)
    end,
    case lists:any(Ends, maps:values(Processes)) of
        true -> State;
        false ->
            _ = [From ! {Monitor, ok} || {Monitor, From} <- Waiting],
            State#state{waiting = []}
    end.

%% Orphans come last, sorted.
lines(Events) ->
    {Orphans, Others} = lists:partition(fun({Tag, _}) -> Tag =:= orphan end, Events),
    [ordered(Others), [["~ ", Text, $\n] || Text <- lists:sort([Text || {_, Text} <- Orphans])]].

ordered([]) -> [];
ordered([{ordered, Text} | Rest]) -> [[Text, $\n] | ordered(Rest)];
ordered([{{dynamic, Path, _}, _} | _] = Events) ->
    Same = fun({Tag, _}) -> is_tuple(Tag) andalso element(2, Tag) =:= Path end,
    {Ends, Rest} = lists:splitwith(Same, Events),
    [set([{Instance, Text} || {{_, _, Instance}, Text} <- Ends]) | ordered(Rest)].

%% The ends of one instance are in order; of several they are a set, sorted by instance, in order within each.
set([{First, _} | _] = Ends) ->
    case lists:all(fun({Instance, _}) -> Instance =:= First end, Ends) of
        true -> [[Text, $\n] || {_, Text} <- Ends];
        false -> [["~ ", Text, $\n] || {_, Text} <- lists:keysort(1, Ends)]
    end.
