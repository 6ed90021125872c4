/** For bash: `source <(dkimctl completion bash)`, or a file in bash-completion's `completions` folder. */
export const bashCompletion = `# bash completion for dkimctl
_dkimctl() {
  local -a words=()
  local i count=0 word last="" strip="" line
  # bash breaks --name=value at the "="; dkimctl wants it in one word.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == "=" && $last == --* && $last != *=* ]] || [[ $last == --*= && \${COMP_WORDS[i-1]} == "=" ]]; then
      last=$last$word
      words[count-1]=$last
    else
      last=$word
      words[count]=$last
      count=$((count + 1))
    fi
  done
  # Only what follows the "=" is replaced.
  if [[ $last != "\${COMP_WORDS[COMP_CWORD]}" ]]; then
    strip=\${last%%=*}=
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    line=\${line%%$'\\t'*}
    COMPREPLY[\${#COMPREPLY[@]}]=\${line#"$strip"}
  done < <(dkimctl __complete -- "\${words[@]}" 2>/dev/null)
}
complete -o default -F _dkimctl dkimctl
`;
