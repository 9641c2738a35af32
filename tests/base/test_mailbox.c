/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mailbox.h"
#include "base/own.h"
#include "tests/support/table.h"
#include <stdlib.h>

enum { SENDERS = 4, EACH = 20000 };

struct letter {
    struct mail mail;
    int sender, number;
};

struct sender {
    struct mailbox *box;
    int index;
};

static void *send_all(void *argument)
{
    struct sender *s = argument;
    for (int i = 0; i < EACH; i++) {
        struct letter *l = malloc(sizeof *l);
        if (!l)
            return NULL;
        *l = (struct letter){.sender = s->index, .number = i};
        if (mailbox_send_wait(s->box, &l->mail))
            free(l);
    }
    return NULL;
}

static void test_every_letter_arrives_in_order(void **state)
{
    (void)state;
    struct mailbox box;
    assert_int_equal(mailbox_init(&box, 100, NULL, NULL), STATUS_OK);
    pthread_t threads[SENDERS];
    struct sender senders[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){&box, i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    int next[SENDERS] = {0};
    for (int got = 0; got < SENDERS * EACH;) {
        for (struct mail *mail = mailbox_wait(&box, UINT64_MAX); mail; got++) {
            struct letter *l = CONTAINER_OF(mail, struct letter, mail);
            mail = mail->next;
            assert_int_equal(l->number, next[l->sender]++);
            free(l);
        }
    }
    for (int i = 0; i < SENDERS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_null(mailbox_take_all(&box));
    mailbox_fini(&box);
}

static void test_full_and_closed_take_nothing(void **state)
{
    (void)state;
    struct mailbox box;
    struct letter a = {0};
    struct letter b = {0};
    assert_int_equal(mailbox_init(&box, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(mailbox_send(&box, &a.mail), STATUS_OK);
    assert_int_equal(mailbox_send(&box, &b.mail), STATUS_FULL);
    mailbox_close(&box);
    assert_int_equal(mailbox_send(&box, &b.mail), STATUS_CLOSED);
    assert_ptr_equal(mailbox_wait(&box, UINT64_MAX), &a.mail);
    assert_null(mailbox_wait(&box, UINT64_MAX));
    mailbox_fini(&box);
}

static void test_take_leaves_the_rest(void **state)
{
    (void)state;
    struct mailbox box;
    struct letter letters[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    assert_int_equal(mailbox_init(&box, 3, NULL, NULL), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(mailbox_send(&box, &letters[i].mail), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(mailbox_take(&box, 0), &letters[i].mail);
    assert_null(mailbox_take(&box, 0));
    mailbox_nudge(&box);
    assert_null(mailbox_wait(&box, UINT64_MAX)); /* returns, for it was nudged */
    mailbox_fini(&box);
}

static void test_what_is_returned_is_taken_first(void **state)
{
    (void)state;
    struct mailbox box;
    struct letter letters[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    assert_int_equal(mailbox_init(&box, 3, NULL, NULL), STATUS_OK);
    assert_int_equal(mailbox_return(&box, &letters[0].mail), STATUS_OK);
    assert_int_equal(mailbox_return(&box, &letters[1].mail), STATUS_OK);
    assert_int_equal(mailbox_send(&box, &letters[2].mail), STATUS_OK);
    assert_int_equal(mailbox_return(&box, &letters[3].mail), STATUS_FULL);
    assert_ptr_equal(mailbox_take(&box, 0), &letters[1].mail);
    assert_ptr_equal(mailbox_take(&box, 0), &letters[0].mail);
    assert_ptr_equal(mailbox_take(&box, 0), &letters[2].mail);
    mailbox_close(&box);
    assert_int_equal(mailbox_return(&box, &letters[3].mail), STATUS_CLOSED);
    assert_null(mailbox_take(&box, 0));
    mailbox_fini(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_letter_arrives_in_order),
        cmocka_unit_test(test_full_and_closed_take_nothing),
        cmocka_unit_test(test_take_leaves_the_rest),
        cmocka_unit_test(test_what_is_returned_is_taken_first),
    };
    return cmocka_run_group_tests_name("test_mailbox", tests, NULL, NULL);
}
