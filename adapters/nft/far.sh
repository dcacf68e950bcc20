# What the adapter runs on a host behind SSH, in POSIX sh with coreutils and nft: these functions, and then one line in which `answer` calls one of them. What it prints stands between two marks, which
# neither a broken connection nor what a login shell says of itself can make.
#
# In the directory of the device are the files of undo.go, and "lock", a directory with one file. Its name says how the lock is: "free"; "held." and by whom; or "busy." and by whom, while something
# runs under it. Taking the lock, giving it back and taking it from the dead is renaming that file, which only one process can do. Who holds it is the number of a process and when it began, since numbers
# come again.

umask 077
trap '' HUP PIPE # what has begun ends as it should, also when the connection does not
LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
cd /

REFUSED=1 KILLED=2 ABSENT=3 GONE=4 LOST=5 BUSY=6 SHORT=7 FAILED=8 # as in answer.go

# answer NONCE DIRECTORY FUNCTION... calls a function, and says how it ended.
answer() {
	nonce=$1 dir=$2 lock=$2/lock
	shift 2
	printf '\nsluice %s begin\n' "$nonce"
	printf '\nsluice %s begin\n' "$nonce" >&2
	"$@"
	end $?
}

end() { printf '\nsluice %s end %s\n' "$nonce" "$1"; }

# began PID prints when a process began, in ticks since the host did (proc(5), /proc/pid/stat, field 22).
began() {
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
	# shellcheck disable=SC2086 # fields
	set -- ${stat##*) }
	[ "$1" = Z ] || echo "${20}"
}

# lives WHO says whether a process is there.
lives() { [ "$(began "${1%%.*}")" = "${1#*.}" ]; }

# take TENTHS takes the lock within tenths of a second.
take() {
	me=$$.$(began $$)
	mkdir -p "$dir" || return $FAILED
	if ! [ -e "$lock" ]; then
		mkdir "$dir/lock.$me" && : >"$dir/lock.$me/free" && mv -T "$dir/lock.$me" "$lock" 2>/dev/null
		rm -rf "$dir/lock.$me" # somebody else was first
	fi
	if ! [ -d "$lock" ]; then
		echo "$lock is no directory: it is used by a gateway on the host itself, or cannot be made" >&2
		return $FAILED
	fi
	tenths=$1
	until mv "$lock/free" "$lock/held.$me" 2>/dev/null; do
		for held in "$lock"/held.* "$lock"/busy.*; do
			[ -e "$held" ] || continue
			who=${held##*/}
			lives "${who#*.}" || ! mv "$held" "$lock/held.$me" 2>/dev/null || return 0
		done
		[ "$tenths" -gt 0 ] || return $BUSY
		tenths=$((tenths - 1))
		sleep 0.1
	done
}

# free gives the lock back, when what runs under it has ended.
free() {
	left=$longest
	until mv "$lock/held.$me" "$lock/free" 2>/dev/null || ! [ -e "$lock/busy.$me" ] || [ "$left" -eq 0 ]; do
		left=$((left - 1))
		sleep 1
	done
}

# under ME FUNCTION... calls what changes something: nobody else has the lock before it has ended, whatever becomes of the connection.
under() {
	me=$1
	shift
	mv "$lock/held.$me" "$lock/busy.$me" 2>/dev/null || return $LOST
	"$@"
	set -- $?
	mv "$lock/busy.$me" "$lock/held.$me"
	return "$1"
}

# run SECONDS NFT... runs nft, for so long at most.
run() {
	timeout -k 5 "$@"
	case $? in
	0) return 0 ;;
	126 | 127) return $ABSENT ;;
	1) return $REFUSED ;;
	esac
	return $KILLED
}

# save FILE SIZE keeps what comes. What is shorter was cut off on the way.
save() {
	cat >"$1" && [ $(($(wc -c <"$1"))) -eq "$2" ] && return 0
	rm -f "$1"
	return $SHORT
}

# script ME SIZE SECONDS NFT... runs nft over the script that comes.
script() {
	me=$1 file=$dir/script.$1
	save "$file" "$2" || return
	shift 2
	under "$me" run "$@" <"$file"
	set -- $?
	rm -f "$file"
	return "$1"
}

# hold TENTHS SILENCE LONGEST SECONDS NFT... takes the lock, does what an undo process left undone that died, prints who holds the lock and which changes wait, and holds it until its input ends, or for SILENCE
# seconds no word comes. What runs under it ends within LONGEST seconds.
hold() {
	silence=$2 longest=$3
	take "$1" || return
	shift 3
	rm -f "$dir"/script.* "$dir"/pending.*.new "$dir/word" # of others, cut off on the way
	every overdue "$@"
	set -- $?
	if [ "$1" -ne 0 ]; then
		free
		return "$1"
	fi
	echo "$me"
	every show
	end 0
	(
		quiet=0
		while [ $quiet -lt "$silence" ] && lives "$me"; do
			sleep 1
			quiet=$((quiet + 1))
			! rm "$dir/word" || quiet=0
		done
		free
		! lives "$me" || kill $$
	) </dev/null >/dev/null 2>&1 &
	while read -r _; do : >"$dir/word"; done
	free
}

# every FUNCTION... calls a function for each change that nobody has confirmed: file, token, deadline.
every() {
	for file in "$dir"/pending.*; do
		token=${file##*/pending.}
		case $token in
		*.undo) token=${token%.undo} ;;
		*.*) continue ;;
		esac
		deadline=$(stat -c %Y "$file" 2>/dev/null) || continue
		"$@" || return
	done
}

show() { echo "$token $((deadline - $(date +%s)))"; }

# overdue SECONDS NFT... undoes a change whose undo process has died.
overdue() {
	[ $(($(date +%s) - deadline)) -ge 3 ] || return 0
	if [ "$file" = "$dir/pending.$token" ]; then
		claim undo
		case $? in
		0) ;;
		"$GONE") return 0 ;; # it was late, and not dead
		*) return $FAILED ;;
		esac
	fi
	restore "$@"
}

# claim SUFFIX takes the file of a change from whoever else wants it.
claim() {
	mv "$file" "$file.$1" 2>/dev/null && file=$file.$1 && return 0
	[ -e "$file" ] || return $GONE
	echo "$file cannot be renamed" >&2
	return $FAILED
}

# restore SECONDS NFT... loads the file of a change that was claimed, and takes it away.
restore() {
	run "$@" -f - <"$file" || return
	rm -f "$file"
}

# survives makes sure that what is begun here goes on when its user has logged out. systemd may end it (logind.conf(5), KillUserProcesses), but for root and whom else KillExcludeUsers names.
survives() {
	user="\"$(id -un)\""
	[ "$user" != '"root"' ] || return 0
	busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager KillUserProcesses KillExcludeUsers KillOnlyUsers 2>/dev/null | {
		read -r all && read -r excluded && read -r only || exit 0 # there is no logind
		case $excluded in *"$user"*) exit 0 ;; esac
		case $only in
		"as 0") [ "$all" = "b true" ] || exit 0 ;;
		*"$user"*) ;;
		*) exit 0 ;;
		esac
		echo "this host ends what a user has begun when he logs out, which would be the undo process as well: name $user in KillExcludeUsers of logind.conf" >&2
		exit $FAILED
	}
}

# arm ME TOKEN SECONDS MAKING SIZE WATCH NFT... keeps the script that comes, which takes a change back, and begins the process that loads it.
arm() {
	me=$1 file=$dir/pending.$2 seconds=$3 making=$4 size=$5 watch=$6
	shift 6
	survives || return
	save "$file.new" "$size" || return
	under "$me" begin "$@"
}

begin() {
	: >"$file.loading" && touch -d "@$(($(date +%s) + making + seconds))" "$file.new" && mv "$file.new" "$file" &&
		/bin/sh -c "$watch" sluice-undo "$seconds" "$file" "${me%%.*}" "$making" "$@" && return 0
	rm -f "$file" "$file.loading"
	return $FAILED
}

# made ME TOKEN SECONDS notes that a change is made, and its time runs.
made() {
	file=$dir/pending.$2 seconds=$3
	under "$1" note
}

note() {
	[ -e "$file" ] || return $GONE
	touch -c -d "@$(($(date +%s) + seconds))" "$file" && rm -f "$file.loading"
}

# confirm ME TOKEN has a change stay.
confirm() {
	file=$dir/pending.$2
	under "$1" stay
}

stay() { claim confirmed && rm -f "$file"; }

# cancel ME TOKEN SECONDS NFT... undoes a change.
cancel() {
	me=$1 file=$dir/pending.$2
	shift 2
	under "$me" take_back "$@"
}

take_back() { claim undo && restore "$@"; }
