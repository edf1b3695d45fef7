#!/usr/bin/env bash
# Installs the project on one node of a cluster, for the user who runs it. `ray up` calls it on every node; by hand:
#
#     bash cluster/install.sh --results /shared/wrn-search/results [--python python3.12]
#
# --results DIR    shared storage, the same directory on every node: results of searches go to DIR/<name>
# --python PYTHON  makes the environment (3.11 to 3.13; the same version on every node); default python3
#
# RAY_AUTH_MODE of the shells of this user is `disabled` unless it is set (docs/cluster.md says when that will not do).
#
# It makes ~/.wrn-search/venv with exactly the packages of requirements-cluster.txt, puts the folder that this script
# lies in on its path, and lets shells of this user find it (one line in ~/.bashrc). A second call installs only
# what is missing. To undo it remove ~/.wrn-search and the line of ~/.bashrc that names it.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=""
python=python3
while [ $# -gt 0 ]; do
    case "$1" in
        --results) results=${2:?--results needs a directory} && shift 2 ;;
        --python) python=${2:?--python needs an interpreter} && shift 2 ;;
        *) echo "install.sh: unknown option $1 (see the top of this file)" >&2 && exit 2 ;;
    esac
done
if [ -z "$results" ]; then
    echo "install.sh: --results DIR must name storage that all nodes share" >&2
    exit 2
fi

home=$HOME/.wrn-search
venv=$home/venv
mkdir -p "$home" "$results"
exec 9> "$home/install.lock"
flock 9 # nodes that share a home install one after another
if [ ! -x "$venv/bin/python" ]; then
    "$python" -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11 to 3.13 must be used; name one with --python")'
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet -r "$project/requirements-cluster.txt"
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$project" > "$site/wrn_search_project.pth"

cat > "$home/env.sh" <<END
# Written by $project/cluster/install.sh
export PATH="$venv/bin:\$PATH"
export RAY_AUTH_MODE="\${RAY_AUTH_MODE:-disabled}" # else it depends on whether a token lies in this home
export WRN_SEARCH_HOME="$project"
export WRN_SEARCH_RESULTS="$results"
END
# shellcheck disable=SC2016 # the shells of this user expand it
line='[ -r "$HOME/.wrn-search/env.sh" ] && . "$HOME/.wrn-search/env.sh"'
touch "$HOME/.bashrc"
grep -qxF "$line" "$HOME/.bashrc" || echo "$line" >> "$HOME/.bashrc"
