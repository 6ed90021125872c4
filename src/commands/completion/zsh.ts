/** For zsh: a file `_dkimctl` in a folder of `fpath`, or `source <(dkimctl completion zsh)` after `compinit`. */
export const zshCompletion = `#compdef dkimctl
_dkimctl() {
  local -a lines candidates
  local line word
  lines=("\${(@f)$(dkimctl __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    word=\${line%%$'\\t'*}
    # _describe takes WORD:DESCRIPTION.
    candidates+=("\${word//:/\\\\:}\${\${line#$word}/$'\\t'/:}")
  done
  if (( $#candidates )); then
    _describe -t dkimctl dkimctl candidates
  else
    _files
  fi
}
if [[ $funcstack[1] == _dkimctl ]]; then
  _dkimctl "$@"
else
  compdef _dkimctl dkimctl
fi
`;
