# shellcheck shell=sh
# What deploy.sh has a node do: these functions travel in the text of its ssh commands, to whatever `sh` is there.

size_of() {
    stat -L -c %s -- "$1" 2>/dev/null || echo 0
}

# ask PATH PART SIZE SUM: says `whole`, or `lacks` with the bytes that have arrived in PART and those that the disk has
# room for (- if unknown). What arrived of another file of that name goes.
ask() {
    if [ "$(size_of "$1")" = "$3" ] && [ "$(sha256sum <"$1")" = "$4  -" ]; then
        rm -f -- "$2"
        echo whole
        return
    fi
    for other in "$1".*.part."${2##*.part.}"; do
        [ "$other" = "$2" ] || rm -f -- "$other"
    done
    folder=$(dirname -- "$1")
    while [ ! -d "$folder" ]; do
        folder=$(dirname -- "$folder")
    done
    room=$(df --output=avail -B1 -- "$folder" 2>/dev/null | tail -n 1 | tr -d ' ')
    echo "lacks $(size_of "$2") ${room:--}"
}

# receive PATH PART OFFSET SIZE SUM MODE: appends standard input to PART, which has OFFSET bytes, and gives it its name
# when it is whole. Says every two seconds how much is there; that ends it, too, when nobody reads it any more. Exit
# codes: 20 the input ended early, 21 it is another file (PART is gone), 22 it cannot be written (said; PART is gone).
receive() {
    if ! complaint=$(mkdir -p -- "$(dirname -- "$1")" 2>&1); then
        echo "failed $complaint"
        exit 22
    fi
    [ "$(size_of "$2")" = "$3" ] || exit 20 # another one writes it
    (
        trap '' PIPE
        while sleep 2 >/dev/null 2>&1; do
            echo "at $(size_of "$2")" 2>/dev/null || {
                kill $$
                exit
            }
        done
    ) &
    reporter=$!
    code=0
    if ! complaint=$(cat 2>&1 >>"$2"); then
        rm -f -- "$2"
        echo "failed $complaint"
        code=22
    elif [ "$(size_of "$2")" -lt "$4" ]; then
        code=20
    elif [ "$(sha256sum <"$2")" != "$5  -" ]; then
        rm -f -- "$2"
        code=21
    elif ! complaint=$(chmod "$6" -- "$2" 2>&1 && mv -f -- "$2" "$1" 2>&1); then
        echo "failed $complaint"
        code=22
    fi
    {
        kill "$reporter"
        wait "$reporter"
    } 2>/dev/null
    exit $code
}
