#!/usr/bin/env python3
"""Restarts a workspace by a message and waits for the outcome: 0 where the restart succeeded, 1 where not, with one line that says why.

PUBLISHER_AMQP_URL=amqp://… python3 restart.py --org acme --workspace ws_… [--force] [--actor alice] [--timeout 600]
"""

import argparse
import collections
import json
import os
import sys
import time
import uuid

import pika
import pika.exceptions

RESTART = "reprise.workspace.restart.v1"
SUCCEEDED = "reprise.operation.succeeded.v1"
FAILED = "reprise.operation.failed.v1"
# RabbitMQ's direct reply-to: the answer comes straight to the channel that asked, and no queue is made for it.
REPLIES = "amq.rabbitmq.reply-to"


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
        heard = listen(channel, message_id)
        publish(channel, message_id, parameters.credentials.username, given)
        return outcome(connection, heard, given.timeout)
    finally:
        if connection.is_open:
            connection.close()


def listen(channel, message_id):
    """A queue of what is heard of the command: pairs of a type, None for the answer, and the data."""
    heard = collections.deque()

    def hear(_channel, _method, properties, body):
        # The queue hears of everybody's operations; what is ours carries our id.
        if properties.correlation_id == message_id:
            heard.append((properties.type, json.loads(body)))

    queue = "publisher." + message_id
    channel.queue_declare(queue, exclusive=True, auto_delete=True)
    for event in (SUCCEEDED, FAILED):
        channel.queue_bind(queue, "reprise.events", event)
    channel.basic_consume(queue, hear, auto_ack=True)
    channel.basic_consume(REPLIES, hear, auto_ack=True)
    return heard


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
        reply_to=REPLIES,
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


def outcome(connection, heard, timeout):
    """The data of the event that ends the operation."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        connection.process_data_events(time_limit=1)
        while heard:
            kind, data = heard.popleft()
            if kind == SUCCEEDED:
                return data
            if kind == FAILED:
                kept = " The workspace goes on as it was." if data["pod_kept"] else ""
                raise Failure("failed ({code}): {message}".format(**data) + kept)
            if data.get("status") == "done":
                print("accepted: " + data["value"]["operation_id"], file=sys.stderr)
            elif data.get("status") == "refused":
                raise Failure("refused ({code}): {message}".format(**data["refusal"]))
            elif data.get("status") == "failed":
                # Nobody can handle it; an operator has it now.
                raise Failure("a dead letter ({reason}): {message}".format(**data))
    raise Failure("no outcome within {:g} s; the restart may still be under way".format(timeout))


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
