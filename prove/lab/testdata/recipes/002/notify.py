#!/usr/bin/python3
# coding: utf8
"""Mails who has become the master, and logs every call.

Sentinel calls it with seven arguments: the group, the role of this Sentinel, a state, the old address and port, the new
address and port. Only the leader of the failover mails, so that one mail is sent and not three.
"""
import logging
import smtplib
import sys
import time
from email.header import Header
from email.mime.text import MIMEText

RECEIVERS = ["oncall@example.net"]
SERVER, PORT = "mail.example.net", 25
USER, PASSWORD = "redis", "mail-secret"

logging.basicConfig(
    level=logging.DEBUG,
    format="%(asctime)s %(filename)s[line:%(lineno)d] %(levelname)s %(message)s",
    filename="/data/service/redis/failover.log",
    filemode="a",
)


def mail(subject, text):
    message = MIMEText(text, _subtype="html", _charset="utf-8")
    message["Subject"] = Header(subject, "utf-8")
    message["From"] = Header(USER, "utf-8")
    message["To"] = ";".join(RECEIVERS)
    try:
        smtp = smtplib.SMTP()
        smtp.connect(SERVER, PORT)
        smtp.login(USER, PASSWORD)
        smtp.sendmail(USER + "@example.net", RECEIVERS, message.as_string())
        smtp.close()
    except Exception as error:
        logging.error("mail is not sent: %s", error)


def main():
    logging.info("called with %d: %s", len(sys.argv) - 1, " ".join(sys.argv[1:]))
    try:
        group, role = sys.argv[1], sys.argv[2]
        old, new = ":".join(sys.argv[4:6]), sys.argv[6] + ":" + sys.argv[7]
    except IndexError as error:
        logging.error("arguments from Sentinel: %s", error)
        sys.exit(1)
    if role == "leader":
        text = "%s: the master of %s was %s and is %s" % (time.strftime("%F %T"), group, old, new)
        mail("redis %s failover" % group, text)


if __name__ == "__main__":
    main()
