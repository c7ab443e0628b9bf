/* SPDX-License-Identifier: BSD-3-Clause */
#include "help.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 78 };

char *help_of_option(const app_option *option)
{
    return option->fallback ? text_format("%s (default: %s)", option->help, option->fallback)
                            : text_copy(option->help);
}

const char help_of_undoing[] = "The resumed run goes on without it";

static struct poptOption row_of_option(const app_option *option, size_t number)
{
    return (struct poptOption){.longName = text_copy(option->name),
                               .shortName = option->letter,
                               .argInfo = (option->kind == OPTION_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING) |
                                          (option->implied ? POPT_ARGFLAG_OPTIONAL : 0),
                               .val = (int)number,
                               .descrip = help_of_option(option),
                               .argDescrip = option->argument};
}

static struct poptOption row_of_undoing(const app_option *option, size_t number)
{
    return (struct poptOption){.longName = text_format("no-%s", option->name),
                               .val = (int)number,
                               .descrip = text_copy(help_of_undoing)};
}

struct poptOption *help_popt_table(const app_command *command)
{
    size_t count = 0;
    while (command->options[count].name)
        count++;
    struct poptOption *table = memory_of(2 * count + 2, sizeof *table), *row = table;
    for (size_t i = 0; i < count; i++) {
        const app_option *option = &command->options[i];
        *row++ = row_of_option(option, i + 1);
        if (option_can_be_undone(option))
            *row++ = row_of_undoing(option, count + 2 + i);
    }
    *row = (struct poptOption){.longName = text_copy("help"),
                               .shortName = 'h',
                               .val = (int)count + 1,
                               .descrip = text_copy("Print this help")};
    return table;
}

void help_free_popt_table(struct poptOption *table)
{
    for (size_t i = 0; table[i].longName; i++) {
        free((char *)table[i].longName);
        free((char *)table[i].descrip);
    }
    free(table);
}

/* One paragraph, broken at blanks. Returns where the next one begins. */
static const char *print_paragraph(const char *text)
{
    const char *end = strstr(text, "\n\n");
    const size_t whole = end ? (size_t)(end - text) : strlen(text);
    for (size_t at = 0; at < whole;) {
        size_t length = whole - at;
        if (length > WIDTH) {
            length = WIDTH;
            while (length && text[at + length] != ' ')
                length--;
        }
        printf("%.*s\n", (int)length, text + at);
        at += length + 1;
    }
    putchar('\n');
    return end ? end + 2 : text + whole;
}

void help_of_command(const app_command *command, poptContext context)
{
    char *line = text_format("[OPTION...]%s%s", *command->operands ? " " : "", command->operands);
    printf("weightscape %s: %s\n\n", command->name, command->summary);
    poptSetOtherOptionHelp(context, line);
    poptPrintHelp(context, stdout, 0);
    putchar('\n');
    for (const char *rest = command->details; *rest;)
        rest = print_paragraph(rest);
    free(line);
}

void help_of_program(void)
{
    puts("weightscape: watch a convolutional network learn, in situ, in ParaView\n\nUsage: weightscape "
         "COMMAND "
         "[OPTION...]\n");
    for (size_t i = 0; commands[i]; i++)
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    puts("\nweightscape COMMAND --help explains a command, weightscape --version tells the version.");
}
