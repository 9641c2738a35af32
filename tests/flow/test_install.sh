#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cmake --install: the program finds its rules below the prefix that it was put to; a man page for
# each page of the manual, with nothing of this machine in it; every command and flag in each
# completion. The package: its version is the program's, its configuration is one.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
flow_begin "$1"
build=$(readlink -f "$1")
root=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
command -v cmake > /dev/null || flow_skip "no cmake here"
unset TOCSIN_SHARE
prefix=$flow_dir/usr
cmake --install "$build" --prefix "$prefix" > "$flow_dir/err" 2>&1 || flow_fail "cmake --install"
tocsin=$prefix/bin/tocsin
share=$prefix/share/tocsin

"$tocsin" check share > "$flow_dir/err" 2>&1 || flow_fail "what ships has errors where it is installed"
diff -r "$root/rules/share" "$share" > "$flow_dir/err" || flow_fail "what is installed is not what ships"
echo 'title: [' > "$share/rules/broken.yml"
"$tocsin" check share > "$flow_dir/found" 2>&1 && flow_fail "the installed program reads other rules than those beside it"
grep -q "^$share/rules/broken.yml:" "$flow_dir/found" || flow_fail "names no file of $share: $(cat "$flow_dir/found")"
flow_note "rules are found below the prefix"

while read -r page section; do
  man=$prefix/share/man/man$section/$page.$section
  grep -q "^\.TH \"$page\" \"$section\"" "$man" || flow_fail "no man page at $man"
  ! grep -nE "$flow_dir|$root|${HOME:-/nowhere}/" "$man" || flow_fail "$man tells of this machine"
done < <("$tocsin" help | sed -nE 's/^  ([a-z.-]+)\(([0-9])\).*/\1 \2/p')
[ "$(find "$prefix/share/man" -type f | wc -l)" = "$("$tocsin" help | grep -cE '^  [a-z.-]+\([0-9]\)')" ] ||
  flow_fail "not one man page for each page: $(find "$prefix/share/man" -type f)"
flow_note "a man page for each page"

bash=$prefix/share/bash-completion/completions/tocsin
zsh=$(find "$prefix" -name _tocsin)
fish=$prefix/share/fish/vendor_completions.d/tocsin.fish
for shell in bash zsh fish; do
  ! command -v $shell > /dev/null || $shell -n "${!shell}" || flow_fail "the completion is no $shell"
done
offered() { # offered WORD... : what bash offers for the last
  bash -c 'source "$0" && COMP_WORDS=(tocsin "$@") COMP_CWORD=$# && _tocsin && printf "%s\n" "${COMPREPLY[@]}"' "$bash" "$@"
}
commands=$("$tocsin" --help | sed -n '/^Commands:$/,/^$/s/^  \([a-z]*\)  .*/\1/p')
[ "$(wc -w <<< "$commands")" -gt 10 ] || flow_fail "these are all commands: $commands"
seen=0
for command in $commands; do
  offered '' | grep -qx "$command" || flow_fail "bash: no $command"
  grep -q "^      '$command:" "$zsh" || flow_fail "zsh: no $command"
  grep -q "__fish_use_subcommand -a $command " "$fish" || flow_fail "fish: no $command"
  for flag in $("$tocsin" "$command" --help | sed -nE 's/^  --([a-z-]+)( .*)?$/\1/p'); do
    offered "$command" -- | grep -qx -- "--$flag" || flow_fail "bash: no $command --$flag"
    sed -n "/^    $command)\$/,/;;/p" "$zsh" | grep -qE "^        '\*?--$flag(=?)\[.+\]" || flow_fail "zsh: no $command --$flag"
    grep -q "_from $command' -l $flag -d '..*'" "$fish" || flow_fail "fish: no $command --$flag"
    seen=$((seen + 1))
  done
done
[ $seen -gt 50 ] || flow_fail "only $seen flags were seen"
[ "$(offered report --by '' | paste -sd ' ')" = 'priority rule team' ] || flow_fail "bash: no words for report --by"
offered incident '' | grep -qx ack || flow_fail "bash: no actions of an incident"
for action in $(offered incident ''); do
  "$tocsin" incident --help | grep -qw "$action" || flow_fail "bash: incident $action is no action"
done
flow_note "$seen flags of $(wc -w <<< "$commands") commands in each completion"

version=$("$tocsin" version)
[ "tocsin ($(cut -d " " -f 2 <<< "$version")-1)" = "$(sed -n '1s/\( ([^)]*)\).*/\1/p' "$root/packaging/debian/changelog")" ] ||
  flow_fail "packaging/debian/changelog is not of $version"
"$tocsin" run --config "$root/packaging/tocsin.yml" --data "$flow_dir/data" --print-config > "$flow_dir/err" 2>&1 ||
  flow_fail "packaging/tocsin.yml is no configuration"
for file in $(awk '{print $1}' "$root/packaging/debian/install" "$root/packaging/debian/docs"); do
  [ -e "$root/$file" ] || flow_fail "the package wants $file, which is not there"
done
flow_note "the package's version, configuration and files"
