// The shell script: the few lines that a shell reads at its start. All else is asked of the tool, at the Tab key.

extension Shell {
  /// The word that tells replcomplete that a script asks: not an option, since it is for nobody else.
  public static let request = "--complete-for"

  /// The source of the script.
  ///
  /// - Parameter tools: the names of the tools.
  public func script(for tools: [String]) -> String {
    switch self {
    case .bash: Self.bash(tools.joined(separator: " "))
    case .zsh: Self.zsh(tools.joined(separator: " "))
    case .fish: Self.fish(tools.map { "-c \($0)" }.joined(separator: " "))
    }
  }

  private static func bash(_ tools: String) -> String {
    #"""
    # Completion of repltools in bash. Either bash-completion finds this file, or ~/.bashrc has the line
    #   eval "$(replcomplete --shell bash)"
    _repltools() {
      local IFS=$' \t\n' reply
      COMPREPLY=()
      reply=$(command replcomplete --complete-for bash "${COMP_WORDBREAKS-}" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null) ||
        return 0
      case $reply in
        files*) compopt -o bashdefault -o default 2>/dev/null ;;
        names*) compopt -o nospace 2>/dev/null ;;
      esac
      [[ $reply != *$'\n'* ]] || mapfile -t COMPREPLY <<<"${reply#*$'\n'}"
      return 0
    }
    complete -F _repltools \#(tools)

    """#
  }

  private static func zsh(_ tools: String) -> String {
    #"""
    #compdef \#(tools)
    # Completion of repltools in zsh. Either this file is _replctl in a directory of $fpath, or ~/.zshrc has, behind
    # compinit, the line
    #   eval "$(replcomplete --shell zsh)"
    _repltools() {
      local reply
      local -a lines
      reply=$(command replcomplete --complete-for zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null) ||
        return 1
      lines=("${(@f)reply}")
      case $lines[1] in
        files*)
          [[ $lines[1] == 'files ' ]] || compset -P "${(b)lines[1]#files }"
          _files
          return ;;
        names) set -- -S '' ;;
        *) set -- ;;
      esac
      shift lines
      (( $#lines )) || return 1
      if [[ $PREFIX == -* || $lines[1] == -* ]]; then
        _describe -o option lines "$@"
      else
        _describe value lines "$@"
      fi
    }
    if [[ ${funcstack[1]-} == _replctl ]]; then
      _repltools "$@"
    elif (( ${+functions[compdef]} )); then
      compdef _repltools \#(tools)
    fi

    """#
  }

  private static func fish(_ tools: String) -> String {
    #"""
    # Completion of repltools in fish. Either this file is in a directory of $fish_complete_path under the name of each
    # tool, or config.fish has the line
    #   replcomplete --shell fish | source
    function __repltools_complete
        command -q replcomplete; or return
        set -l current (commandline -ct)
        # An open quote is closed, so that the word can be read.
        set -l word (string unescape -- $current; or string unescape -- "$current'"; or string unescape -- "$current\"")
        set -l lines (command replcomplete --complete-for fish (commandline -opc) "$word" 2>/dev/null)
        switch "$lines[1]"
            case 'files *'
                set -l glue (string replace 'files ' '' -- $lines[1])
                for path in (__fish_complete_path (string sub -s (math (string length -- "$glue") + 1) -- "$word"))
                    echo -- "$glue$path"
                end
            case '*'
                string join \n -- $lines[2..-1]
        end
    end
    complete \#(tools) -e
    complete \#(tools) -f -a '(__repltools_complete)'

    """#
  }
}
