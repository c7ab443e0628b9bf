/* SPDX-License-Identifier: BSD-3-Clause */
#include "manual.h"
#include "command.h"
#include "help.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text in which nothing is taken for a request of troff. An empty line begins a paragraph. */
static void print_text(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (c[0] == '\n' && c[1] == '\n') {
            printf("\n.PP\n");
            c++;
        } else if (*c == '-' || *c == '\\') {
            printf(*c == '-' ? "\\-" : "\\e");
        } else if ((*c == '.' || *c == '\'') && (c == text || c[-1] == '\n')) {
            printf("\\&%c", *c);
        } else {
            putchar(*c);
        }
    }
}

static void print_option(const app_option *option)
{
    char *help = help_of_option(option);
    printf(".TP\n");
    if (option->letter)
        printf("\\fB\\-%c\\fR, ", option->letter);
    printf("\\fB\\-\\-");
    print_text(option->name);
    printf("\\fR");
    if (option->argument) {
        printf("%s=\\fI", option->implied ? "[" : "");
        print_text(option->argument);
        printf("\\fR%s", option->implied ? "]" : "");
    }
    putchar('\n');
    print_text(help);
    putchar('\n');
    free(help);
}

static void print_undoing(const app_option *option)
{
    printf(".TP\n\\fB\\-\\-no\\-");
    print_text(option->name);
    printf("\\fR\n");
    print_text(help_of_undoing);
    putchar('\n');
}

static void print_command(const app_command *command)
{
    printf(".SS \"weightscape %s [OPTION...]%s%s\"\n", command->name, *command->operands ? " " : "",
           command->operands);
    putchar(toupper((unsigned char)command->summary[0]));
    print_text(command->summary + 1);
    printf(".\n.PP\n");
    print_text(command->details);
    putchar('\n');
    for (const app_option *option = command->options; option->name; option++) {
        print_option(option);
        if (option_can_be_undone(option))
            print_undoing(option);
    }
}

void manual_print(void)
{
    puts(".\\\" SPDX-License-Identifier: BSD-3-Clause\n"
         ".TH WEIGHTSCAPE 1 \"\" \"weightscape " WEIGHTSCAPE_VERSION "\" \"User commands\"\n"
         ".SH NAME\nweightscape \\- watch a convolutional network learn, in situ, in ParaView\n"
         ".SH SYNOPSIS\n.B weightscape\n.I COMMAND\n[\\fIOPTION\\fR...]\n"
         ".SH DESCRIPTION\nTrains a convolutional network on images, and lets Catalyst scripts of ParaView "
         "draw its weights "
         "while it learns.\n"
         ".SH COMMANDS");
    for (size_t i = 0; commands[i]; i++)
        print_command(commands[i]);
    puts(".SH SEE ALSO\n.BR paraview (1),\n.BR pvpython (1)");
}
