# SPDX-License-Identifier: Apache-2.0
"""What an event's Sigma log source is, written into the event: rsigma and SQL read it from fields,
Tocsin from its mappings. One category an event is all that rsigma takes, so the narrowest is
written: a rule for registry_event is then not asked for a registry_set. The names that Sigma has for
fields of the Security channel and of NXLog are added too, as Tocsin's mapping reads them."""
import json

SYSMON = {1: "process_creation", 2: "file_change", 3: "network_connection", 4: "sysmon_status",
          5: "process_termination", 6: "driver_load", 7: "image_load", 8: "create_remote_thread",
          9: "raw_access_thread", 10: "process_access", 11: "file_event", 13: "registry_set",
          14: "registry_rename", 15: "create_stream_hash", 16: "sysmon_status",
          17: "pipe_created", 18: "pipe_created", 19: "wmi_event", 20: "wmi_event",
          21: "wmi_event", 22: "dns_query", 23: "file_delete", 24: "clipboard_capture",
          25: "process_tampering", 26: "file_delete", 27: "file_block_executable",
          28: "file_block_shredding", 29: "file_executable_detected", 255: "sysmon_error"}
POWERSHELL = {4103: "ps_module", 4104: "ps_script"}
CLASSIC = {400: "ps_classic_start", 600: "ps_classic_provider_start", 800: "ps_classic_script"}
CHANNELS = {  # channel in lower case: (service, categories by EventID)
    "microsoft-windows-sysmon/operational": ("sysmon", SYSMON),
    "security": ("security", {4688: "process_creation"}),
    "microsoft-windows-powershell/operational": ("powershell", POWERSHELL),
    "windows powershell": ("powershell-classic", CLASSIC),
    "system": ("system", {}),
    "application": ("application", {}),
    "microsoft-windows-wmi-activity/operational": ("wmi", {}),
    "microsoft-windows-taskscheduler/operational": ("taskscheduler", {}),
    "microsoft-windows-terminalservices-localsessionmanager/operational":
        ("terminalservices-localsessionmanager", {}),
}
ALIASES = {"Provider_Name": ("SourceName", "ProviderName"), "Image": ("NewProcessName",),
           "ParentImage": ("ParentProcessName",), "User": ("SubjectUserName",),
           "LogonId": ("SubjectLogonId",)}


def category(channel, event, number):
    if channel == "microsoft-windows-sysmon/operational" and number == 12:
        return "registry_delete" if "Delete" in str(event.get("EventType")) else "registry_add"
    return CHANNELS[channel][1].get(number)


def logsource(event):
    if event.get("@proc") == "zeek":
        return {"_product": "zeek", "_service": event.get("@stream")}
    channel = str(event.get("Channel", event.get("LogName", ""))).lower()
    if not channel:
        return {}
    tags = {"_product": "windows"}
    if channel in CHANNELS:
        tags["_service"] = CHANNELS[channel][0]
        number = str(event.get("EventID", ""))
        found = category(channel, event, int(number) if number.isdigit() else -1)
        if found:
            tags["_category"] = found
    for name, others in ALIASES.items():
        for other in others:
            if name not in event and other in event:
                tags.setdefault(name, event[other])
    return tags


def tag_line(line):
    tags = logsource(json.loads(line))
    if not tags:
        return line.rstrip(b"\n") + b"\n"
    # in front of the event's own text, which stays as it is
    return json.dumps(tags).encode()[:-1] + b"," + line.lstrip()[1:].rstrip(b"\n") + b"\n"
