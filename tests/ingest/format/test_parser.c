/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <jansson.h>
#include <string.h>

/* Each row is a record and the line of `tocsin parse` that it becomes. Now is 2014-02-06T12:00. */
struct row {
    const char *name;
    struct text raw;
    enum format format;
    const char *peer;
    const char *want;
};

#define RAW(literal)                                                                               \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define FORMAT(name) "{\"line\":1,\"format\":\"" name "\","
#define TIME(text)   "\"time\":\"" text "\","
#define NOW          TIME("2014-02-06T12:00:00.000000Z")
#define GUESSED      "\"flags\":[\"year_assumed\",\"zone_assumed\"]}\n"
#define AUTH_INFO    "\"facility\":4,\"severity\":6,"

static const struct row rows[] = {
    /* RFC 5424 */
    {"5424: whole",
     RAW("<165>1 2003-10-11T22:14:15.003Z host.example evntslog 12 ID47 [ex@1 iut=\"3\" "
         "src=\"App\"][prio@2 class=\"high\"] An event"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc5424")
         TIME("2003-10-11T22:14:15.003000Z") "\"facility\":20,\"severity\":5,"
                                             "\"host\":\"host.example\",\"program\":\"evntslog\","
                                             "\"pid\":\"12\",\"msgid\":\"ID47\","
                                             "\"message\":\"An "
                                             "event\",\"structured_data\":{\"ex@1\":{\"iut\":\"3\","
                                             "\"src\":\"App\"},"
                                             "\"prio@2\":{\"class\":\"high\"}}}\n"},
    {"5424: Meraki has a host and no other words",
     RAW("<38>1 1391637600.500000000 MX1 flows src=192.0.2.7 dst=198.51.100.5 - [x"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc5424") TIME("2014-02-05T22:00:00.500000Z") AUTH_INFO
     "\"host\":\"MX1\",\"message\":\"1391637600.500000000 MX1 flows src=192.0.2.7 "
     "dst=198.51.100.5 - [x\"}\n"},
    {"5424: nothing but nil", RAW("<0>1 - - - - - -"), FORMAT_AUTO, NULL,
     FORMAT("rfc5424") NOW "\"facility\":0,\"severity\":0,\"flags\":[\"time_assumed\"]}\n"},
    {"5424: zone", RAW("<38>1 2014-02-05T22:14:15+02:00 h a - - - m"), FORMAT_AUTO, NULL,
     FORMAT("rfc5424") TIME("2014-02-05T20:14:15.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\"}\n"},
    {"5424: escapes", RAW("<38>1 - h a - - [x k=\"a\\\"b\\\\c\\]d\\ne\"][y] m"), FORMAT_AUTO, NULL,
     FORMAT("rfc5424") NOW AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\","
     "\"structured_data\":{\"x\":{\"k\":\"a\\\"b\\\\c]d\\\\ne\"},\"y\":{}},"
     "\"flags\":[\"time_assumed\"]}\n"},
    {"5424: byte order mark is shown", RAW("<38>1 - h a - - - \xEF\xBB\xBF\xC3\xA9"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc5424") NOW AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\","
     "\"message\":\"\\ufeff\xC3\xA9\",\"flags\":[\"time_assumed\"]}\n"},
    {"5424: broken structured data stays in the message",
     RAW("<38>1 2014-02-05T22:14:15Z h a - - [x k=\"v] m"), FORMAT_AUTO, NULL,
     FORMAT("rfc5424") TIME("2014-02-05T22:14:15.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"[x k=\\\"v] m\","
     "\"structured_data\":{\"x\":{}},\"flags\":[\"header_damaged\"]}\n"},
    {"5424: broken time stays in the message", RAW("<38>1 2014-13-05T22:14:15Z h a - - - m"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc5424") NOW AUTH_INFO "\"message\":\"2014-13-05T22:14:15Z h a - - - m\","
                                     "\"flags\":[\"time_assumed\",\"header_damaged\"]}\n"},
    {"5424: behind a count", RAW("25 <38>1 - h a - - - message"), FORMAT_AUTO, NULL,
     FORMAT("rfc5424") NOW AUTH_INFO "\"host\":\"h\",\"program\":\"a\",\"message\":\"message\","
                                     "\"flags\":[\"time_assumed\"]}\n"},
    {"5424: without priority", RAW("1 2014-02-05T22:14:15Z h a - - - m"), FORMAT_AUTO, NULL,
     FORMAT("rfc5424")
         TIME("2014-02-05T22:14:15.000000Z") "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\","
                                             "\"flags\":[\"pri_missing\"]}\n"},
    {"5424: localhost is the peer", RAW("<38>1 2014-02-05T22:14:15Z localhost a - - - m"),
     FORMAT_AUTO, "192.0.2.9",
     FORMAT("rfc5424") TIME("2014-02-05T22:14:15.000000Z") AUTH_INFO
     "\"host\":\"192.0.2.9\",\"program\":\"a\",\"message\":\"m\",\"flags\":[\"host_assumed\"]}\n"},
    {"5424: line end and padding", RAW("<38>1 2014-02-05T22:14:15Z h a - - - m\r\n\0"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc5424") TIME("2014-02-05T22:14:15.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\"}\n"},

    /* RFC 3164 */
    {"3164: whole", RAW("<38>Feb  5 13:37:45 web1 sshd[42]: Failed password"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"web1\",\"program\":\"sshd\",\"pid\":\"42\",\"message\":\"Failed "
     "password\"," GUESSED},
    {"3164: a file's line", RAW("Feb  5 13:37:45 web1 su: x"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164")
         TIME("2014-02-05T13:37:45.000000Z") "\"host\":\"web1\",\"program\":\"su\","
                                             "\"message\":\"x\",\"flags\":[\"year_assumed\",\"zone_"
                                             "assumed\",\"pri_missing\"]}\n"},
    {"3164: no-break space", RAW("Feb\xC2\xA0 5 13:37:45 web1 su: x"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164")
         TIME("2014-02-05T13:37:45.000000Z") "\"host\":\"web1\",\"program\":\"su\","
                                             "\"message\":\"x\",\"flags\":[\"year_assumed\",\"zone_"
                                             "assumed\",\"pri_missing\"]}\n"},
    {"3164: last year", RAW("<38>Dec 31 23:59:59 h a: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2013-12-31T23:59:59.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\"," GUESSED},
    {"3164: year behind the day, zone", RAW("<38>Feb  5 2013 13:37:45 CEST h a: m"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc3164") TIME("2013-02-05T11:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\"}\n"},
    {"3164: year behind the time", RAW("<38>Feb  5 13:37:45 2013 h a: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2013-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\",\"flags\":[\"zone_assumed\"]}\n"},
    {"3164: ISO time", RAW("<38>2014-02-05T13:37:45.123456+01:00 h a[7]: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T12:37:45.123456Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"pid\":\"7\",\"message\":\"m\"}\n"},
    {"3164: no host", RAW("<38>Feb  5 13:37:45 sshd[42]: m"), FORMAT_AUTO, "192.0.2.9",
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"192.0.2.9\",\"program\":\"sshd\",\"pid\":\"42\",\"message\":\"m\","
     "\"flags\":[\"year_assumed\",\"zone_assumed\",\"host_assumed\"]}\n"},
    {"3164: no tag", RAW("<38>Feb  5 13:37:45 h some text"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"message\":\"some text\"," GUESSED},
    {"3164: no time, no host", RAW("<38>su[7]: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") NOW AUTH_INFO "\"program\":\"su\",\"pid\":\"7\",\"message\":\"m\","
                                     "\"flags\":[\"time_assumed\"]}\n"},
    {"3164: only text", RAW("<38>hello world"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") NOW AUTH_INFO "\"message\":\"hello world\",\"flags\":[\"time_assumed\"]}\n"},
    {"3164: mapped IPv6 peer", RAW("<38>su: m"), FORMAT_AUTO, "::ffff:192.0.2.9",
     FORMAT("rfc3164") NOW AUTH_INFO
     "\"host\":\"192.0.2.9\",\"program\":\"su\","
     "\"message\":\"m\",\"flags\":[\"time_assumed\",\"host_assumed\"]}\n"},
    {"3164: a module in the tag",
     RAW("<38>Feb  5 13:37:45 web1 sshd(pam_unix)[42]: session closed"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"web1\",\"program\":\"sshd\",\"pid\":\"42\",\"msgid\":\"pam_unix\","
     "\"message\":\"session closed\"," GUESSED},
    {"3164: a module without a number", RAW("<38>Feb  5 13:37:45 web1 su(pam_unix): x"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"web1\",\"program\":\"su\",\"msgid\":\"pam_unix\",\"message\":\"x\"," GUESSED},
    {"3164: brackets that name no module", RAW("<38>Feb  5 13:37:45 web1 odd()[1]: x"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"web1\",\"program\":\"odd()\",\"pid\":\"1\",\"message\":\"x\"," GUESSED},
    {"3164: AIX", RAW("<38>Feb  5 13:37:45 Message forwarded from aix1: sshd[9]: m"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"aix1\",\"program\":\"sshd\",\"pid\":\"9\",\"message\":\"m\"," GUESSED},
    {"3164: Solaris", RAW("<38>Feb  5 13:37:45 sol sshd[9]: [ID 800047 auth.info] m"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"sol\",\"program\":\"sshd\",\"pid\":\"9\",\"msgid\":\"800047\","
     "\"message\":\"m\"," GUESSED},
    {"3164: no-break space before the host", RAW("<38>Feb  5 13:37:45 \xC2\xA0web1 sshd[9]: m"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"web1\",\"program\":\"sshd\",\"pid\":\"9\",\"message\":\"m\"," GUESSED},
    {"3164: a no-break space alone before the host",
     RAW("<38>Feb  5 13:37:45\xC2\xA0web1 sshd[9]: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"web1\",\"program\":\"sshd\",\"pid\":\"9\",\"message\":\"m\"," GUESSED},
    {"3164: no-break spaces, no priority", RAW("Feb  5 13:37:45 \xC2\xA0\xC2\xA0web1 sshd[9]: m"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") "\"host\":\"web1\",\"program\":\"sshd\","
                                                           "\"pid\":\"9\",\"message\":\"m\","
                                                           "\"flags\":[\"year_assumed\",\"zone_"
                                                           "assumed\",\"pri_missing\"]}\n"},
    {"3164: a relay's header in front",
     RAW("<38>Feb  5 13:37:46 relay Feb  5 13:37:45 web1 sshd[9]: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"web1\",\"program\":\"sshd\",\"pid\":\"9\",\"message\":\"m\"," GUESSED},
    {"3164: NetApp", RAW("<38>Feb  5 13:37:45 [na1:secd.auth.failure:notice]: m"), FORMAT_AUTO,
     NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"na1\",\"program\":\"secd.auth.failure\",\"message\":\"m\"," GUESSED},
    {"3164: F5", RAW("<38>Feb  5 13:37:45 slot1/f5 notice mcpd[6]: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"f5\",\"program\":\"mcpd\",\"pid\":\"6\",\"message\":\"m\"," GUESSED},
    {"3164: broken priority", RAW("<192>Feb  5 13:37:45 h a: m"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") NOW "\"message\":\"<192>Feb  5 13:37:45 h a: m\","
                           "\"flags\":[\"time_assumed\",\"header_damaged\"]}\n"},
    {"3164: NUL inside", RAW("<38>Feb  5 13:37:45 h a: m\0n"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"m\\u0000n\"," GUESSED},
    {"3164: bytes that are not UTF-8", RAW("<38>Feb  5 13:37:45 h a: \xFC"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"\\u00fc\","
     "\"flags\":[\"year_assumed\",\"zone_assumed\",\"not_utf8\"],"
     "\"raw_b64\":\"PDM4PkZlYiAgNSAxMzozNzo0NSBoIGE6IPw=\"}\n"},

    /* routers */
    {"Cisco IOS: sequence, host, unsynchronised clock",
     RAW("<38>20: r1: 6340: *Feb  5 13:37:45.123 EST: %SYS-6-X: up"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T18:37:45.123000Z") AUTH_INFO
     "\"host\":\"r1\",\"message\":\"%SYS-6-X: up\",\"flags\":[\"year_assumed\"]}\n"},
    {"Cisco IOS: no host", RAW("<38>84: Feb  5 13:37:45.1 UTC: %SYS-5-X: up"), FORMAT_AUTO,
     "192.0.2.9",
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.100000Z") AUTH_INFO
     "\"host\":\"192.0.2.9\",\"message\":\"%SYS-5-X: up\","
     "\"flags\":[\"year_assumed\",\"host_assumed\"]}\n"},
    {"Cisco NX-OS: year in front", RAW("<38>n1: 2014 Feb  5 13:37:45 CET: %MOD-2-X: up"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T12:37:45.000000Z") AUTH_INFO
     "\"host\":\"n1\",\"message\":\"%MOD-2-X: up\"}\n"},
    {"Cisco: uptime instead of time", RAW("<38>20: r1: 00:01:01: %SYS-6-X: up"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") NOW AUTH_INFO "\"host\":\"r1\",\"message\":\"%SYS-6-X: up\","
                                     "\"flags\":[\"time_assumed\"]}\n"},
    {"Cisco ASA", RAW("<38>Feb 05 2014 13:37:45 fw1 : %ASA-6-302013: Built"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"fw1\",\"message\":\"%ASA-6-302013: Built\",\"flags\":[\"zone_assumed\"]}\n"},

    /* JSON */
    {"JSON",
     RAW("{\"@timestamp\":\"2014-02-05T13:37:45.5Z\",\"n\":1.50,\"b\":true,\"z\":null,"
         "\"o\":{\"k\":\"a\\\"b\"},\"a\":[\"x\",2]}"),
     FORMAT_AUTO, NULL,
     FORMAT("json")
         TIME("2014-02-05T13:37:45.500000Z") "\"message\":\"{\\\"@timestamp\\\":\\\"2014-02-05T13:"
                                             "37:45.5Z\\\",\\\"n\\\":1.50,"
                                             "\\\"b\\\":true,\\\"z\\\":null,\\\"o\\\":{\\\"k\\\":"
                                             "\\\"a\\\\\\\"b\\\"},"
                                             "\\\"a\\\":[\\\"x\\\",2]}\","
                                             "\"fields\":{\"@timestamp\":\"2014-02-05T13:37:45."
                                             "5Z\",\"n\":1.50,\"b\":true,\"z\":null,"
                                             "\"o.k\":\"a\\\"b\",\"a\":[\"x\",2]}}\n"},
    {"JSON inside syslog", RAW("<38>Feb  5 13:37:45 h a: {\"k\":\"v\"}"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"{\\\"k\\\":\\\"v\\\"}\","
     "\"fields\":{\"k\":\"v\"}," GUESSED},
    {"JSON behind a cookie", RAW("<38>Feb  5 13:37:45 h a: @cee: {\"k\":1}"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"program\":\"a\",\"message\":\"@cee: {\\\"k\\\":1}\","
     "\"fields\":{\"k\":1}," GUESSED},
    {"JSON: broken", RAW("{\"k\":1"), FORMAT_AUTO, NULL,
     FORMAT("raw") NOW "\"message\":\"{\\\"k\\\":1\","
                       "\"flags\":[\"time_assumed\",\"header_damaged\"]}\n"},
    {"JSON: not JSON", RAW("hello"), FORMAT_JSON, NULL,
     FORMAT("raw") NOW "\"message\":\"hello\",\"flags\":[\"time_assumed\",\"header_damaged\"]}\n"},

    /* CEF, LEEF, key=value, raw */
    {"CEF", RAW("CEF:0|a\\|b|p|1|7|n|5|src=192.0.2.7 x=a\\=b c dvchost=fw"), FORMAT_AUTO, NULL,
     FORMAT("cef") NOW
     "\"host\":\"fw\","
     "\"message\":\"CEF:0|a\\\\|b|p|1|7|n|5|src=192.0.2.7 x=a\\\\=b c dvchost=fw\","
     "\"fields\":{\"cefVersion\":\"0\",\"deviceVendor\":\"a|b\",\"deviceProduct\":\"p\","
     "\"deviceVersion\":\"1\",\"deviceEventClassId\":\"7\",\"name\":\"n\",\"severity\":\"5\","
     "\"src\":\"192.0.2.7\",\"sourceAddress\":\"192.0.2.7\",\"x\":\"a=b c\",\"dvchost\":\"fw\","
     "\"deviceHostName\":\"fw\"},\"flags\":[\"time_assumed\"]}\n"},
    {"CEF in syslog", RAW("<38>Feb  5 13:37:45 h CEF:0|a|b|1|7|n|5|"), FORMAT_AUTO, NULL,
     FORMAT("cef") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"h\",\"message\":\"CEF:0|a|b|1|7|n|5|\","
     "\"fields\":{\"cefVersion\":\"0\",\"deviceVendor\":\"a\",\"deviceProduct\":\"b\","
     "\"deviceVersion\":\"1\",\"deviceEventClassId\":\"7\",\"name\":\"n\",\"severity\":\"5\"}"
     "," GUESSED},
    {"CEF: broken header", RAW("CEF:0|a|b"), FORMAT_CEF, NULL,
     FORMAT("raw") NOW "\"message\":\"CEF:0|a|b\","
                       "\"flags\":[\"time_assumed\",\"header_damaged\"]}\n"},
    {"RFC 5424 without priority and version", RAW("2020-05-22T14:59:09Z web1 app 42 - - up"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc5424") "\"time\":\"2020-05-22T14:59:09.000000Z\",\"host\":\"web1\",\"program\":"
                       "\"app\","
                       "\"pid\":\"42\",\"message\":\"up\",\"flags\":[\"pri_missing\"]}\n"},
    {"prose with dashes behind a time is no RFC 5424",
     RAW("2020-05-22T14:59:09Z we went home - - up"), FORMAT_AUTO, NULL,
     FORMAT("raw") "\"time\":\"2020-05-22T14:59:09.000000Z\","
                   "\"message\":\"2020-05-22T14:59:09Z we went home - - up\"}\n"},
    {"LEEF 1.0", RAW("LEEF:1.0|v|p|1|e|src=1.2.3.4\tusrName=a b"), FORMAT_AUTO, NULL,
     FORMAT("leef") NOW
     "\"message\":\"LEEF:1.0|v|p|1|e|src=1.2.3.4\\tusrName=a b\","
     "\"fields\":{\"leefVersion\":\"1.0\",\"deviceVendor\":\"v\",\"deviceProduct\":\"p\","
     "\"deviceVersion\":\"1\",\"deviceEventId\":\"e\",\"src\":\"1.2.3.4\",\"usrName\":\"a b\"},"
     "\"flags\":[\"time_assumed\"]}\n"},
    {"CEF whose name a relay cut off", RAW("0|Acme|Wall|1|7|n|5|x=1"), FORMAT_AUTO, NULL,
     FORMAT("cef") NOW
     "\"message\":\"0|Acme|Wall|1|7|n|5|x=1\","
     "\"fields\":{\"cefVersion\":\"0\",\"deviceVendor\":\"Acme\",\"deviceProduct\":\"Wall\","
     "\"deviceVersion\":\"1\",\"deviceEventClassId\":\"7\",\"name\":\"n\",\"severity\":\"5\","
     "\"x\":\"1\"},\"flags\":[\"time_assumed\"]}\n"},
    {"numbers between pipes are no CEF", RAW("0|1|2|3|4|5|6|x=1"), FORMAT_AUTO, NULL,
     FORMAT("raw") NOW "\"message\":\"0|1|2|3|4|5|6|x=1\",\"flags\":[\"time_assumed\"]}\n"},
    {"pipes without pairs are no CEF", RAW("0|a|b|c|d|e|f|g"), FORMAT_AUTO, NULL,
     FORMAT("raw") NOW "\"message\":\"0|a|b|c|d|e|f|g\",\"flags\":[\"time_assumed\"]}\n"},
    {"LEEF whose name a relay cut off, tabs escaped", RAW("1.0|v|p|1|e|src=1.2.3.4#011usrName=a b"),
     FORMAT_AUTO, NULL,
     FORMAT("leef") NOW
     "\"message\":\"1.0|v|p|1|e|src=1.2.3.4#011usrName=a b\","
     "\"fields\":{\"leefVersion\":\"1.0\",\"deviceVendor\":\"v\",\"deviceProduct\":\"p\","
     "\"deviceVersion\":\"1\",\"deviceEventId\":\"e\",\"src\":\"1.2.3.4\",\"usrName\":\"a b\"},"
     "\"flags\":[\"time_assumed\"]}\n"},
    {"LEEF 1.0 with pipes between its attributes", RAW("LEEF:1.0|v|p|1|e|cat=a b|src=1.2.3.4"),
     FORMAT_AUTO, NULL,
     FORMAT("leef") NOW
     "\"message\":\"LEEF:1.0|v|p|1|e|cat=a b|src=1.2.3.4\","
     "\"fields\":{\"leefVersion\":\"1.0\",\"deviceVendor\":\"v\",\"deviceProduct\":\"p\","
     "\"deviceVersion\":\"1\",\"deviceEventId\":\"e\",\"cat\":\"a b\",\"src\":\"1.2.3.4\"},"
     "\"flags\":[\"time_assumed\"]}\n"},
    {"LEEF 2.0 with its delimiter", RAW("LEEF:2.0|v|p|1|e|x5e|src=1.2.3.4^cat=a|b"), FORMAT_LEEF,
     NULL,
     FORMAT("leef") NOW
     "\"message\":\"LEEF:2.0|v|p|1|e|x5e|src=1.2.3.4^cat=a|b\","
     "\"fields\":{\"leefVersion\":\"2.0\",\"deviceVendor\":\"v\",\"deviceProduct\":\"p\","
     "\"deviceVersion\":\"1\",\"deviceEventId\":\"e\",\"src\":\"1.2.3.4\",\"cat\":\"a|b\"},"
     "\"flags\":[\"time_assumed\"]}\n"},
    {"logfmt", RAW("ts=2014-02-05T13:37:45Z msg=\"a \\\"b\\\"\" n=1 empty= last=x"), FORMAT_AUTO,
     NULL,
     FORMAT("kv")
         TIME("2014-02-05T13:37:45.000000Z") "\"message\":\"ts=2014-02-05T13:37:45Z msg=\\\"a "
                                             "\\\\\\\"b\\\\\\\"\\\" n=1 empty= last=x\","
                                             "\"fields\":{\"ts\":\"2014-02-05T13:37:45Z\",\"msg\":"
                                             "\"a \\\"b\\\"\",\"n\":\"1\","
                                             "\"empty\":\"\",\"last\":\"x\"}}\n"},
    {"pairs with bars", RAW("time=1391607465|hostname=cp|a=b|c|d=e f"), FORMAT_AUTO, NULL,
     FORMAT("kv") TIME(
         "2014-02-05T13:37:45.000000Z") "\"host\":\"cp\","
                                        "\"message\":\"time=1391607465|hostname=cp|a=b|c|d=e f\","
                                        "\"fields\":{\"time\":\"1391607465\",\"hostname\":\"cp\","
                                        "\"a\":\"b|c\",\"d\":\"e f\"}}\n"},
    {"a firewall's date and time",
     RAW("<38>date=2014-02-05 time=14:37:45 tz=\"+0100\" devname=\"fw\""), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"fw\",\"message\":\"date=2014-02-05 time=14:37:45 tz=\\\"+0100\\\" "
     "devname=\\\"fw\\\"\",\"fields\":{\"date\":\"2014-02-05\",\"time\":\"14:37:45\","
     "\"tz\":\"+0100\",\"devname\":\"fw\"}}\n"},
    {"3164: host and data in one word", RAW("<38>Feb  5 13:37:45 f5,rule=a,src=b c: d"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"f5\",\"message\":\"f5,rule=a,src=b c: d\"," GUESSED},
    {"CSV behind a header without host", RAW("<38>Feb  5 13:37:45 1,2014/02/05 13:37:45,x,TRAFFIC"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"message\":\"1,2014/02/05 13:37:45,x,TRAFFIC\"," GUESSED},
    {"CSV without header", RAW("<38>1,2014/02/05 13:37:45,x,TRAFFIC"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"message\":\"1,2014/02/05 13:37:45,x,TRAFFIC\",\"flags\":[\"zone_assumed\"]}\n"},
    {"CSV with a better time in a column",
     RAW("<38>Feb  5 13:37:50 fw 1,2014/02/05 13:37:49,x,TRAFFIC,2014-02-05T14:37:45.589+01:00,y"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc3164") TIME("2014-02-05T13:37:45.589000Z") AUTH_INFO
     "\"host\":\"fw\","
     "\"message\":\"1,2014/02/05 13:37:49,x,TRAFFIC,2014-02-05T14:37:45.589+01:00,y\"}\n"},
    {"shaped like a date", RAW("Foo 11 13:37:45 web1 su: x"), FORMAT_AUTO, NULL,
     FORMAT("raw") NOW "\"message\":\"Foo 11 13:37:45 web1 su: x\","
                       "\"flags\":[\"time_assumed\"]}\n"},
    {"a percent sign is no router", RAW("<38>app: done: %PART of it"), FORMAT_AUTO, NULL,
     FORMAT("rfc3164") NOW AUTH_INFO "\"program\":\"app\",\"message\":\"done: %PART of it\","
                                     "\"flags\":[\"time_assumed\"]}\n"},
    {"XML is text", RAW("<Event><System/></Event>"), FORMAT_AUTO, NULL,
     FORMAT("raw") NOW "\"message\":\"<Event><System/></Event>\",\"flags\":[\"time_assumed\"]}\n"},
    {"indented JSON", RAW("  {\"a\":1}\n"), FORMAT_AUTO, NULL,
     FORMAT("json") NOW "\"message\":\"{\\\"a\\\":1}\",\"fields\":{\"a\":1},"
                        "\"flags\":[\"time_assumed\"]}\n"},
    {"Check Point",
     RAW("<38>1 2014-02-05T13:37:45Z cp CheckPoint 7 - [action:\"Accept\"; n:\"a]b\"; ]"),
     FORMAT_AUTO, NULL,
     FORMAT("rfc5424") TIME("2014-02-05T13:37:45.000000Z") AUTH_INFO
     "\"host\":\"cp\",\"program\":\"CheckPoint\",\"pid\":\"7\","
     "\"message\":\"[action:\\\"Accept\\\"; n:\\\"a]b\\\"; ]\","
     "\"fields\":{\"action\":\"Accept\",\"n\":\"a]b\"}}\n"},
    {"a name twice is a list", RAW("a=1 b=2 a=3"), FORMAT_KV, NULL,
     FORMAT("kv") NOW "\"message\":\"a=1 b=2 a=3\",\"fields\":{\"a\":[\"1\",\"3\"],\"b\":\"2\"},"
                      "\"flags\":[\"time_assumed\"]}\n"},
    {"a web server's line",
     RAW("192.0.2.1 - - [05/Feb/2014:13:37:45 +0100] \"GET / HTTP/1.1\" 200"), FORMAT_AUTO, NULL,
     FORMAT("raw")
         TIME("2014-02-05T12:37:45.000000Z") "\"message\":\"192.0.2.1 - - [05/Feb/2014:13:37:45 "
                                             "+0100] \\\"GET / HTTP/1.1\\\" 200\"}\n"},
    {"a line with a time", RAW("2014-02-05 13:37:45,747 - INFO x"), FORMAT_AUTO, NULL,
     FORMAT("raw") TIME("2014-02-05T13:37:45.747000Z") "\"message\":\"2014-02-05 13:37:45,747 - "
                                                       "INFO x\",\"flags\":[\"zone_assumed\"]}\n"},
    {"text", RAW("complete gobbledegook"), FORMAT_AUTO, NULL,
     FORMAT("raw") NOW "\"message\":\"complete gobbledegook\",\"flags\":[\"time_assumed\"]}\n"},
    {"raw is left alone", RAW("<38>Feb  5 13:37:45 h a: m"), FORMAT_RAW, NULL,
     FORMAT("raw") NOW
     "\"message\":\"<38>Feb  5 13:37:45 h a: m\",\"flags\":[\"time_assumed\"]}\n"},
    {"nothing", RAW(""), FORMAT_AUTO, NULL, FORMAT("raw") NOW "\"flags\":[\"time_assumed\"]}\n"},
};

struct rig {
    struct parser *parser;
    struct arena arena;
    struct event event;
    struct buffer out;
    struct record record;
};

static void open_rig(struct rig *g, const struct parser_options *options)
{
    *g = (struct rig){0};
    arena_init(&g->arena, 1 << 20);
    buffer_init(&g->out, 1 << 20);
    assert_true(timestamp_parse(TEXT("2014-02-06T12:00:00Z"), 0, &g->record.receive_us, NULL));
    assert_int_equal(parser_new(options, &g->parser, NULL), STATUS_OK);
}

static const char *read_line(struct rig *g, struct text raw)
{
    g->record.raw = raw;
    parser_read(g->parser, &g->record, &g->arena, &g->event);
    buffer_clear(&g->out);
    parser_write(&g->event, NULL, 1, &g->out);
    buffer_byte(&g->out, '\0');
    assert_false(g->out.has_failed);
    return g->out.at;
}

static void close_rig(struct rig *g)
{
    parser_free(g->parser);
    event_fini(&g->event);
    arena_fini(&g->arena);
    buffer_fini(&g->out);
}

static void test_record(void **state)
{
    const struct row *row = *state;
    const struct parser_options options = {.format = row->format};
    struct rig g;
    open_rig(&g, &options);
    g.record.peer = text_of(row->peer);
    const char *line = read_line(&g, row->raw);
    assert_string_equal(line, row->want);
    json_t *json = json_loads(line, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    json_decref(json);
    close_rig(&g);
}

/* The record's own format goes before the parser's. */
static void test_format_of_record(void **state)
{
    (void)state;
    const struct parser_options options = {.format = FORMAT_SYSLOG};
    struct rig g;
    open_rig(&g, &options);
    g.record.format = FORMAT_JSON;
    (void)read_line(&g, TEXT("{\"a\":1}"));
    assert_int_equal(g.event.format, FORMAT_JSON);
    close_rig(&g);
}

static void test_new_year(void **state)
{
    (void)state;
    static const struct {
        const char *now, *raw, *want;
    } cases[] = {
        {"2014-01-01T00:00:10Z", "<1>Dec 31 23:59:59 h a: m", "2013-12-31T23:59:59Z"},
        {"2013-12-31T23:59:50Z", "<1>Jan  1 00:00:01 h a: m", "2014-01-01T00:00:01Z"},
        {"2014-06-15T00:00:00Z", "<1>Jan  1 00:00:01 h a: m", "2014-01-01T00:00:01Z"},
        {"2014-06-15T00:00:00Z", "<1>Aug 10 00:00:01 h a: m", "2014-08-10T00:00:01Z"},
        {"2014-06-15T00:00:00Z", "<1>Nov 30 00:00:01 h a: m", "2013-11-30T00:00:01Z"},
        {"2016-03-01T00:00:00Z", "<1>Feb 29 00:00:01 h a: m", "2016-02-29T00:00:01Z"},
        {"2014-03-01T00:00:00Z", "<1>Feb 29 00:00:01 h a: m", "2012-02-29T00:00:01Z"},
    };
    struct rig g;
    const struct parser_options options = {0};
    open_rig(&g, &options);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t want = 0;
        assert_true(timestamp_parse(text_of(cases[i].now), 0, &g.record.receive_us, NULL));
        assert_true(timestamp_parse(text_of(cases[i].want), 0, &want, NULL));
        (void)read_line(&g, text_of(cases[i].raw));
        assert_true(g.event.event_us == want);
    }
    close_rig(&g);
}

static void test_zone_option(void **state)
{
    (void)state;
    const struct parser_options options = {.zone_s = -5 * 3600};
    struct rig g;
    int64_t want = 0;
    open_rig(&g, &options);
    (void)read_line(&g, TEXT("<38>Feb  5 05:00:00 h a: m"));
    assert_true(timestamp_parse(TEXT("2014-02-05T10:00:00Z"), 0, &want, NULL));
    assert_true(g.event.event_us == want);
    (void)read_line(&g, TEXT("{\"UtcTime\":\"2014-02-05 10:00:00.000\"}"));
    assert_true(g.event.event_us == want);
    assert_false(g.event.flags & EVENT_ZONE_ASSUMED);
    close_rig(&g);
}

static void test_clock_ahead(void **state)
{
    (void)state;
    const struct parser_options options = {.ahead_us = INT64_C(60000000)};
    struct rig g;
    open_rig(&g, &options);
    (void)read_line(&g, TEXT("<38>1 2014-02-06T12:00:59Z h a - - - m"));
    assert_false(g.event.flags & EVENT_TIME_CLAMPED);
    (void)read_line(&g, TEXT("<38>1 2014-02-06T12:01:01Z h a - - - m"));
    assert_true(g.event.flags & EVENT_TIME_CLAMPED);
    assert_true(g.event.event_us == g.record.receive_us);
    close_rig(&g);
}

static void test_times_by_name(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"time\":\"2001-01-01T00:00:00Z\",\"@timestamp\":\"2014-02-05T13:37:45.123Z\"}",
        "{\"TimeCreated\":\"2014-02-05 13:37:45.123\"}",
        "{\"EventTime\":\"2014-02-05 14:37:45\",\"UtcTime\":\"2014-02-05 13:37:45.123\"}",
        "{\"EventTime\":\"2014-02-05 13:37:45.123\",\"EventReceivedTime\":\"2014-02-06 00:00:00\"}",
        ("{\"Event\":{\"System\":{\"TimeCreated\":{\"#attributes\":"
         "{\"SystemTime\":\"2014-02-05T13:37:45.123Z\"}}}}}"),
        "{\"ts\":1391607465.123}",
        "{\"timestamp\":1391607465123}",
        "{\"timestamp\":\"1391607465123\"}",
        "{\"time\":\"05/Feb/2014:13:37:45.123 +0000\"}",
        "{\"time\":\"2014-02-05T14:37:45.123+0100\"}",
        "{\"eventTime\":\"2014-02-05T13:37:45.123Z\"}",
        "{\"time\":\"/Date(1391607465123)/\"}",
        "{\"time\":\"no time\",\"ts\":\"2014-02-05T13:37:45.123Z\"}",
    };
    const struct parser_options options = {0};
    struct rig g;
    open_rig(&g, &options);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        (void)read_line(&g, text_of(bodies[i]));
        assert_true(g.event.event_us == INT64_C(1391607465123000));
        assert_false(g.event.flags & EVENT_TIME_ASSUMED);
    }
    (void)read_line(&g, TEXT("{\"time\":12,\"ts\":\"x\"}"));
    assert_true(g.event.flags & EVENT_TIME_ASSUMED);
    close_rig(&g);
}

/* An alert is told again while it lasts: it is so at receipt, not when it began. */
static void test_alert(void **state)
{
    (void)state;
    const struct parser_options options = {0};
    struct rig g;
    open_rig(&g, &options);
    g.record.kind = RECORD_ALERT;
    g.record.format = FORMAT_JSON;
    (void)read_line(&g, TEXT("{\"host\":\"db1\",\"time\":\"2014-01-01T00:00:00Z\"}"));
    assert_true(g.event.event_us == g.record.receive_us);
    assert_true(text_equal(g.event.host, TEXT("db1")));
    close_rig(&g);
}

static void test_truncated(void **state)
{
    (void)state;
    const struct parser_options options = {0};
    struct rig g;
    open_rig(&g, &options);
    g.record.flags = RECORD_TRUNCATED;
    (void)read_line(&g, TEXT("<38>Feb  5 05:00:00 h a: m"));
    assert_true(g.event.flags & EVENT_TRUNCATED);
    close_rig(&g);
}

struct told {
    double rfc3164, damaged;
    size_t count;
};

static void note(void *context, const struct metric *m)
{
    struct told *told = context;
    told->count++;
    if (strcmp(m->labels, "format=\"rfc3164\"") == 0)
        told->rfc3164 = m->value;
    if (strcmp(m->labels, "reason=\"header_damaged\"") == 0)
        told->damaged = m->value;
}

static void test_metrics(void **state)
{
    (void)state;
    const struct parser_options options = {0};
    struct rig g;
    struct told told = {0};
    open_rig(&g, &options);
    (void)read_line(&g, TEXT("<38>Feb  5 05:00:00 h a: m"));
    (void)read_line(&g, TEXT("<999>Feb  5 05:00:00 h a: m"));
    (void)read_line(&g, TEXT("{\"a\":1}"));
    parser_metrics(g.parser, note, &told);
    assert_true(told.rfc3164 == 2);
    assert_true(told.damaged == 1);
    assert_true(told.count > 10);
    close_rig(&g);
}

/* More fields than an event holds: those that fit, and a flag. */
static void test_fields_cut(void **state)
{
    (void)state;
    const struct parser_options options = {0};
    struct rig g;
    struct buffer text;
    open_rig(&g, &options);
    buffer_init(&text, 1 << 20);
    for (int i = 0; i < EVENT_FIELDS + 10; i++)
        buffer_printf(&text, "k%d=%d ", i, i);
    (void)read_line(&g, buffer_text(&text));
    assert_int_equal(g.event.field_count, EVENT_FIELDS);
    assert_true(g.event.flags & EVENT_FIELDS_CUT);
    buffer_fini(&text);
    close_rig(&g);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 16];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_record, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_format_of_record);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_new_year);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_zone_option);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_clock_ahead);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_times_by_name);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_alert);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_truncated);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_metrics);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_fields_cut);
    return _cmocka_run_group_tests("test_parser", tests, n, NULL, NULL);
}
