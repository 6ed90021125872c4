/** For fish: `dkimctl completion fish > ~/.config/fish/completions/dkimctl.fish`. */
export const fishCompletion = `# fish completion for dkimctl
function __dkimctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l candidates (dkimctl __complete -- $words[2..-1] "$current" 2>/dev/null)
    if set -q candidates[1]
        printf '%s\\n' $candidates
    else
        __fish_complete_path "$current"
    end
end
complete -c dkimctl -f -a '(__dkimctl_complete)'
`;
