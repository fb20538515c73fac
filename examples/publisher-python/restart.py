#!/usr/bin/env python3
"""Restarts a workspace by a message and waits for the outcome: 0 where the restart succeeded, 1 where not, with one line that says why.

PUBLISHER_AMQP_URL=amqp://… python3 restart.py --org acme --workspace ws_… [--force] [--actor alice] [--timeout 600]
"""

import argparse
import json
import os
import sys
import time
import uuid

import pika
import pika.exceptions

RESTART = "reprise.workspace.restart.v1"
ACCEPTED = "reprise.command.accepted.v1"
REFUSED = "reprise.command.refused.v1"
SUCCEEDED = "reprise.operation.succeeded.v1"
FAILED = "reprise.operation.failed.v1"


class Failure(Exception):
    """What ends this program with 1; its text is all that is shown."""


def options():
    parser = argparse.ArgumentParser(description="Restart a workspace by a message and wait for the outcome.")
    parser.add_argument("--org", required=True)
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--actor")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS")
    return parser.parse_args()


def restart(given):
    url = os.environ.get("PUBLISHER_AMQP_URL")
    if not url:
        raise Failure("PUBLISHER_AMQP_URL is not set; an instance of npm start has it in .reprise/env")
    parameters = pika.URLParameters(url)
    connection = pika.BlockingConnection(parameters)
    try:
        channel = connection.channel()
        message_id = str(uuid.uuid4())
        # Listening comes first: the outcome may be there before the confirmation is.
        queue = listen(channel, message_id)
        publish(channel, message_id, parameters.credentials.username, given)
        return outcome(channel, queue, message_id, given.timeout)
    finally:
        if connection.is_open:
            connection.close()


def listen(channel, message_id):
    queue = "publisher." + message_id
    channel.queue_declare(queue, exclusive=True, auto_delete=True)
    for event in (ACCEPTED, REFUSED, SUCCEEDED, FAILED):
        channel.queue_bind(queue, "reprise.events", event)
    return queue


def publish(channel, message_id, user, given):
    headers = {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_source": "publisher-python",
        "cloudEvents_orgid": given.org,
    }
    if given.actor:
        headers["cloudEvents_actor"] = given.actor
    properties = pika.BasicProperties(
        message_id=message_id,
        correlation_id=message_id,
        type=RESTART,
        user_id=user,
        content_type="application/json",
        delivery_mode=2,
        headers=headers,
    )
    body = json.dumps({"workspace_id": given.workspace, "force": given.force})
    channel.confirm_delivery()
    try:
        # Without `mandatory` a message that reaches nobody would look like one that was taken.
        channel.basic_publish("reprise.commands", RESTART, body, properties, mandatory=True)
    except pika.exceptions.UnroutableError:
        raise Failure("no service takes this command: is Reprise set up at this broker?")
    except pika.exceptions.NackError:
        raise Failure("the broker did not take the command")


def outcome(channel, queue, message_id, timeout):
    """The data of the event that ends the command. The queue hears of everybody's commands; ours carry our id."""
    end = time.monotonic() + timeout
    # It gives (None, None, None) once a second, so that the limit is kept where nothing is heard.
    for _, properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=1):
        if properties is not None and properties.correlation_id == message_id:
            data = json.loads(body)
            if properties.type == ACCEPTED:
                print("accepted: " + data["answer"]["operation_id"], file=sys.stderr)
            elif properties.type == SUCCEEDED:
                return data
            elif properties.type == REFUSED:
                raise Failure("refused ({code}): {message}".format(**data))
            elif properties.type == FAILED:
                kept = " The workspace goes on as it was." if data["pod_kept"] else ""
                raise Failure("failed ({code}): {message}".format(**data) + kept)
        if time.monotonic() > end:
            raise Failure("no outcome within {:g} s; the restart may still be under way".format(timeout))
    raise Failure("the broker ended the subscription; the restart may be under way")


def main():
    try:
        print("succeeded: " + restart(options())["operation_id"])
        return 0
    except Failure as failure:
        print(failure, file=sys.stderr)
    except (pika.exceptions.AMQPError, OSError) as error:
        print("cannot restart: " + (str(error) or repr(error)), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
