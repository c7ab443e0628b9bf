/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `completion`: a script with which bash completes the program's commands and options. */
#include "command.h"
#include "exit_status.h"
#include "tell.h"
#include <stdio.h>
#include <string.h>

static const char details[] =
    "source <(weightscape completion bash) completes in this shell; `make install` puts it where "
    "bash-completion finds it.";

static const app_option options[] = {{0}};

static void print_options(const app_command *command)
{
    for (const app_option *option = command->options; option->name; option++) {
        printf("--%s ", option->name);
        if (option->letter)
            printf("-%c ", option->letter);
        if (option_can_be_undone(option))
            printf("--no-%s ", option->name);
    }
    printf("--help");
}

/* Words that are separated by `|`. */
static void print_words(const char *words)
{
    printf("words='");
    for (const char *c = words; *c; c++)
        putchar(*c == '|' ? ' ' : *c);
    printf("'");
}

/* What follows an option: the case that completes its argument. */
static void print_arguments(const app_command *command)
{
    for (const app_option *option = command->options; option->name; option++) {
        if (option->kind == OPTION_FLAG)
            continue;
        printf("        %s:--%s", command->name, option->name);
        if (option->letter)
            printf(" | %s:-%c", command->name, option->letter);
        printf(") ");
        if (option->kind == OPTION_CHOICE) {
            print_words(option->argument);
        } else if (option->names == OPTION_NAMES_FOLDER) {
            printf("kind=-d");
        } else if (option->names == OPTION_NAMES_FILE) {
            printf("kind=-f");
        } else {
            printf("kind=''");
        }
        puts(" ;;");
    }
}

static void print_bash(void)
{
    puts("# bash completion for weightscape\n"
         "_weightscape()\n"
         "{\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words='' kind=-f\n"
         "    if ((COMP_CWORD == 1)); then");
    printf("        words='");
    for (size_t i = 0; commands[i]; i++)
        printf("%s ", commands[i]->name);
    puts("--help --version' kind=''\n"
         "    else\n"
         "        case ${COMP_WORDS[1]}:$before in");
    for (size_t i = 0; commands[i]; i++)
        print_arguments(commands[i]);
    puts("        *) if [[ $word == -* ]]; then case ${COMP_WORDS[1]} in");
    for (size_t i = 0; commands[i]; i++) {
        printf("            %s) words='", commands[i]->name);
        print_options(commands[i]);
        puts("' ;;");
    }
    puts("            esac; elif ((COMP_CWORD == 3)); then case ${COMP_WORDS[1]} in");
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->words)
            continue;
        printf("            %s) ", commands[i]->name);
        print_words(commands[i]->words);
        puts(" ;;");
    }
    puts("            esac; fi ;;\n"
         "        esac\n"
         "    fi\n"
         "    if [[ -n $words ]]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "    elif [[ -n $kind ]]; then\n"
         "        compopt -o filenames\n"
         "        mapfile -t COMPREPLY < <(compgen $kind -- \"$word\")\n"
         "    fi\n"
         "}\n"
         "complete -F _weightscape weightscape");
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    if (strcmp(operand_at(values, 0), "bash")) {
        tell_error("\"%s\" is no shell that is known; bash is", operand_at(values, 0));
        return EXIT_BAD_INPUT;
    }
    print_bash();
    return EXIT_DONE;
}

const app_command command_completion = {.name = "completion",
                                        .operands = "bash",
                                        .least = 1,
                                        .most = 1,
                                        .summary = "a script that lets bash complete commands and options",
                                        .details = details,
                                        .options = options,
                                        .run = run};
