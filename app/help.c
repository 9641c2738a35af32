/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/config.h"
#include "app/help_pages.h"
#include "app/subcommands.h"
#include "base/buffer.h"
#include "console/console.h"
#include "sinks/sinks.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char usage[] = "Usage: tocsin help [TOPIC] [--man]\n\n"
                            "Prints a page of the manual: `tocsin help rules`, `tocsin help yml`.\n"
                            "Without TOPIC, the list of pages.";

enum {
    PAGE_BYTES = 1 << 20,
    WIDTH_LEAST = 60,
    WIDTH_MOST = 100,
    INDENT = 4,
    TERM_INDENT = 8,
    ARGUMENTS = 16
};

/* Where a page is printed to, and what stands open there. */
struct printing {
    struct buffer out;
    bool is_man;
    size_t width;
    bool in_code, in_term, in_paragraph;
    bool is_empty;       /* nothing stands under the heading yet */
    struct buffer words; /* of the paragraph or the term's text that is gathered */
};

/* ---- what the program knows better than a page ---- */

static void indent_lines(struct text t, struct buffer *out)
{
    struct text line;
    while (text_split(&t, '\n', &line)) {
        buffer_append(out, TEXT("    "));
        buffer_append(out, line);
        buffer_byte(out, '\n');
    }
}

static bool write_options(struct buffer *out)
{
    struct error err = {.text = ""};
    AUTO(config) config = NULL;
    struct buffer text;
    buffer_init(&text, PAGE_BYTES);
    bool is_good = config_load(NULL, NULL, &config, &err) == STATUS_OK;
    if (is_good)
        config_print(config, &text);
    indent_lines(buffer_text(&text), out);
    buffer_fini(&text);
    return is_good;
}

static void write_sinks(struct buffer *out)
{
    struct buffer text;
    buffer_init(&text, PAGE_BYTES);
    sinks_print_options(&text);
    indent_lines(buffer_text(&text), out);
    buffer_fini(&text);
}

static void write_made(struct text name, struct buffer *out)
{
    if (text_equal(name, TEXT("options")))
        (void)write_options(out);
    if (text_equal(name, TEXT("sinks")))
        write_sinks(out);
    if (text_equal(name, TEXT("routes")))
        console_write_routes(out);
}

/* The page with its made parts in it. */
static void expand(const struct help_page *page, struct buffer *out)
{
    struct text rest = text_of(page->text);
    struct text line;
    while (text_split(&rest, '\n', &line)) {
        if (line.len > 1 && line.at[0] == '@') {
            write_made(text_skip(line, 1), out);
            continue;
        }
        buffer_append(out, line);
        buffer_byte(out, '\n');
    }
}

/* ---- setting ---- */

static void blanks(struct buffer *out, size_t count)
{
    while (count--)
        buffer_byte(out, ' ');
}

/* roff: a backslash, and what would be a request at the start of a line. */
static void write_roff(struct text t, struct buffer *out)
{
    if (t.len && (t.at[0] == '.' || t.at[0] == '\''))
        buffer_append(out, TEXT("\\&"));
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '\\')
            buffer_append(out, TEXT("\\e"));
        else if (t.at[i] == '-')
            buffer_append(out, TEXT("\\-"));
        else
            buffer_byte(out, t.at[i]);
    }
    buffer_byte(out, '\n');
}

/* Words into lines of the terminal's width. */
static void write_filled(struct text t, size_t indent, size_t width, struct buffer *out)
{
    struct text word;
    size_t column = 0;
    while (text_split(&t, ' ', &word)) {
        if (!word.len)
            continue;
        if (column && column + 1 + word.len > width) {
            buffer_byte(out, '\n');
            column = 0;
        }
        if (!column) {
            blanks(out, indent);
            column = indent;
        } else {
            buffer_byte(out, ' ');
            column++;
        }
        buffer_append(out, word);
        column += word.len;
    }
    buffer_byte(out, '\n');
}

static void end_words(struct printing *p)
{
    if (!p->words.len)
        return;
    if (p->is_man)
        write_roff(buffer_text(&p->words), &p->out);
    else
        write_filled(buffer_text(&p->words), p->in_term ? TERM_INDENT : INDENT, p->width, &p->out);
    buffer_clear(&p->words);
}

static void end_code(struct printing *p)
{
    if (p->in_code)
        buffer_append(&p->out, p->is_man ? TEXT(".EE\n") : TEXT("\n"));
    p->in_code = false;
}

static void begin_heading(struct printing *p, struct text title)
{
    end_words(p);
    end_code(p);
    p->in_term = p->in_paragraph = false;
    buffer_append(&p->out, p->is_man ? TEXT(".SH ") : TEXT("\n"));
    buffer_append(&p->out, title);
    buffer_byte(&p->out, '\n');
    p->is_empty = true;
}

static void begin_term(struct printing *p, struct text term)
{
    end_words(p);
    end_code(p);
    p->in_term = true;
    p->in_paragraph = p->is_empty = false;
    if (p->is_man) {
        buffer_append(&p->out, TEXT(".TP\n.B "));
        write_roff(term, &p->out);
    } else {
        blanks(&p->out, INDENT);
        buffer_append(&p->out, term);
        buffer_byte(&p->out, '\n');
    }
}

static void write_code(struct printing *p, struct text line)
{
    end_words(p);
    p->in_paragraph = false;
    bool is_under_heading = p->out.len > 1 && p->is_empty;
    if (!p->in_code && p->is_man)
        buffer_append(&p->out, p->in_term ? TEXT(".PP\n.EX\n") : TEXT(".EX\n"));
    if (!p->in_code && !p->is_man && !is_under_heading)
        buffer_byte(&p->out, '\n');
    p->is_empty = false;
    p->in_code = true;
    p->in_term = false;
    if (p->is_man) {
        write_roff(line, &p->out);
        return;
    }
    blanks(&p->out, INDENT);
    buffer_append(&p->out, line);
    buffer_byte(&p->out, '\n');
}

static void add_words(struct printing *p, struct text line)
{
    end_code(p);
    p->is_empty = false;
    bool is_of_term = p->in_term && line.at[0] == ' ';
    if (!is_of_term && p->in_term) {
        end_words(p);
        p->in_term = false;
    }
    if (!is_of_term && !p->in_paragraph && p->is_man)
        buffer_append(&p->out, TEXT(".PP\n"));
    p->in_paragraph = !is_of_term;
    if (p->words.len)
        buffer_byte(&p->words, ' ');
    buffer_append(&p->words, text_trim(line));
}

static void write_line(struct printing *p, struct text line)
{
    if (!text_trim(line).len) {
        end_words(p);
        p->in_paragraph = false;
    } else if (text_starts(line, TEXT("# ")))
        begin_heading(p, text_skip(line, 2));
    else if (text_starts(line, TEXT("= ")))
        begin_term(p, text_skip(line, 2));
    else if (text_starts(line, TEXT("    ")))
        write_code(p, text_skip(line, 4));
    else
        add_words(p, line);
}

static void write_title(struct printing *p, struct text title, struct text what)
{
    struct text name = text_head(title, text_find_byte(title, '('));
    struct text section = text_skip(title, name.len + 1);
    if (p->is_man) {
        buffer_printf(&p->out, ".TH \"%.*s\" \"%.*s\" \"\" \"tocsin %s\"\n.SH NAME\n",
                      TEXT_ARG(name), (int)(section.len ? section.len - 1 : 0), section.at,
                      TOCSIN_VERSION);
        buffer_printf(&p->out, "%.*s \\- %.*s\n", TEXT_ARG(name), TEXT_ARG(what));
        return;
    }
    buffer_printf(&p->out, "%.*s: %.*s\n", TEXT_ARG(title), TEXT_ARG(what));
}

static void set_page(const struct help_page *page, struct printing *p)
{
    struct buffer whole;
    struct text title;
    struct text what;
    struct text line;
    buffer_init(&whole, PAGE_BYTES);
    expand(page, &whole);
    struct text rest = buffer_text(&whole);
    if (text_split(&rest, '\n', &title) && text_split(&rest, '\n', &what))
        write_title(p, title, what);
    while (text_split(&rest, '\n', &line))
        write_line(p, line);
    end_words(p);
    end_code(p);
    buffer_fini(&whole);
}

static size_t terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return WIDTH_MOST;
    return size.ws_col < WIDTH_LEAST  ? WIDTH_LEAST
           : size.ws_col > WIDTH_MOST ? WIDTH_MOST
                                      : size.ws_col;
}

/* ---- finding ---- */

/* "rules", "tocsin-rules", "tocsin-rules.7", "yml": the page, or NULL. */
static const struct help_page *find(struct text topic)
{
    for (const struct help_page *page = help_pages; page->name; page++) {
        struct text name = text_of(page->name);
        struct text stem = text_head(name, name.len - 2);
        struct text tail = text_starts(stem, TEXT("tocsin")) && stem.len > 7
                               ? text_skip(stem, 7) /* behind "tocsin-" or "tocsin." */
                               : stem;
        if (text_equal_nocase(topic, name) || text_equal_nocase(topic, stem) ||
            text_equal_nocase(topic, tail))
            return page;
    }
    return NULL;
}

static void list(void)
{
    (void)printf("Pages (tocsin help TOPIC):\n");
    for (const struct help_page *page = help_pages; page->name; page++) {
        struct text rest = text_of(page->text);
        struct text title;
        struct text what = TEXT_NONE;
        (void)(text_split(&rest, '\n', &title) && text_split(&rest, '\n', &what));
        (void)printf("  %-22.*s %.*s\n", TEXT_ARG(title), TEXT_ARG(what));
    }
    (void)printf("\nCommands: tocsin --help; each has --help of its own.\n");
}

int help_main(int argc, char **argv)
{
    bool is_man = false;
    const char *topics[ARGUMENTS];
    uint32_t count = 0;
    const struct command_flag flags[] = {
        {"man", FLAG_SWITCH, &is_man, NULL, "as man(7) source, for a man page"},
    };
    if (argc >= ARGUMENTS)
        return COMMAND_USAGE;
    enum status status = command_flags(argc, argv, usage, flags, 1, topics, &count);
    if (status)
        return status == STATUS_AGAIN ? COMMAND_DONE : COMMAND_USAGE;
    if (!count) {
        list();
        return COMMAND_DONE;
    }
    const struct help_page *page = find(text_of(topics[0]));
    if (!page) {
        command_say("help: there is no page '%s'; tocsin help lists them", topics[0]);
        return COMMAND_NO;
    }
    struct printing p = {.is_man = is_man, .width = terminal_width()};
    buffer_init(&p.out, PAGE_BYTES);
    buffer_init(&p.words, PAGE_BYTES);
    set_page(page, &p);
    (void)fwrite(p.out.at, 1, p.out.len, stdout);
    buffer_fini(&p.out);
    buffer_fini(&p.words);
    return COMMAND_DONE;
}
