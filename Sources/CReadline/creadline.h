// GNU readline, with functions for its variables: Swift takes no mutable variable of C for safe.
//
// GNU readline is under the GPL, version 3 or later. Only replconnect links it.
#ifndef REPLTOOLS_CREADLINE_H
#define REPLTOOLS_CREADLINE_H

#include <locale.h>
#include <stdio.h>
#include <wchar.h>
#include <readline/history.h>
#include <readline/readline.h>

// POSIX has it in wchar.h, which hides it from what does not ask for all of POSIX.
extern int wcwidth(wchar_t);

typedef int repl_getc(FILE *);

static inline int repl_rl_point(void) { return rl_point; }
static inline int repl_rl_end(void) { return rl_end; }
static inline const char *repl_rl_buffer(void) { return rl_line_buffer; }
static inline const char *repl_rl_display_prompt(void) { return rl_display_prompt; }
static inline void repl_rl_set_point(int point) { rl_point = point < 0 ? 0 : point > rl_end ? rl_end : point; }
static inline int repl_rl_is_plain(void) {
  return !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_MULTIKEY | RL_STATE_NUMERICARG | RL_STATE_VIMOTION |
                     RL_STATE_CHARSEARCH | RL_STATE_METANEXT);
}

// Whether a search through the history is going on, whose prompt stands in for ours.
static inline int repl_rl_is_searching(void) { return RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) != 0; }

// What has to be set before readline is initialised.
static inline void repl_rl_configure(repl_getc *take, rl_hook_func_t *available) {
  rl_readline_name = "replconnect";
  rl_catch_signals = 0;
  rl_catch_sigwinch = 0;
  rl_change_environment = 0;
  rl_getc_function = take;
  rl_input_available_hook = available;
  // What the terminal has for erasing a line would erase the whole block.
  rl_variable_bind("bind-tty-special-chars", "off");
  // Some distributions turn it off; an inputrc may, too.
  rl_variable_bind("enable-bracketed-paste", "on");
}

// Reads the inputrc. readline gives up bracketed paste when somebody else draws by then, so it is told only now.
static inline void repl_rl_initialize(rl_voidfunc_t *redisplay) {
  rl_initialize();
  rl_redisplay_function = redisplay;
}

// Binds a key sequence in the keymaps in which text is typed, before an inputrc is read: that has the last word.
static inline void repl_rl_bind(const char *sequence, rl_command_func_t *function) {
  rl_bind_keyseq_in_map(sequence, function, emacs_standard_keymap);
  rl_bind_keyseq_in_map(sequence, function, vi_insertion_keymap);
}

static inline void repl_rl_bind_in_movement(const char *sequence, rl_command_func_t *function) {
  rl_bind_keyseq_in_map(sequence, function, vi_movement_keymap);
}

// An empty line, with nothing to undo, at the end of the history.
static inline void repl_rl_clear(void) {
  rl_replace_line("", 1);
  rl_free_undo_list();
  rl_point = rl_mark = 0;
  using_history();
}

#endif
