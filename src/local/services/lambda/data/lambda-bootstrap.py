"""The Python runtime of a function: it asks the runtime API for events and calls the handler, as AWS's own does
(Lambda developer guide, "Building a custom runtime", "Define Lambda function handler in Python")."""
import http.client
import importlib
import json
import logging
import os
import subprocess
import sys
import time
import traceback

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
ROOT = os.environ["LAMBDA_TASK_ROOT"]
MARK = os.environ.get("FLOTILLA_MARK")
LAYERS = os.environ.get("FLOTILLA_LAYERS")
current = {"id": ""}
connection = http.client.HTTPConnection(API)


class ClientError(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class Context:
    def __init__(self, headers):
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        client = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = json.loads(client) if client else None

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        print(message)


def call(method, path, body=None, kind=None):
    headers = {"Lambda-Runtime-Function-Error-Type": kind} if kind else {}
    connection.request(method, "/2018-06-01/runtime" + path, body=body, headers=headers)
    response = connection.getresponse()
    return response.headers, response.read()


def load(name):
    if "." not in name:
        raise ClientError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    module_name, function_name = name.rsplit(".", 1)
    shown = module_name.replace("/", ".")
    try:
        module = importlib.import_module(shown)
    except ImportError as error:
        raise ClientError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise ClientError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise ClientError("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return handler


def described(error, request_id=None):
    if isinstance(error, ClientError):
        return {"errorMessage": str(error), "errorType": error.kind, "requestId": request_id or "", "stackTrace": []}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        **({"requestId": request_id} if request_id else {}),
        "stackTrace": traceback.format_list(frames),
    }


def logged(error):
    trace = error["stackTrace"]
    text = f"[ERROR] {error['errorType']}: {error['errorMessage']}"
    if trace:
        text += "\nTraceback (most recent call last):\n" + "".join(trace)
    sys.stdout.write(text.rstrip("\n").replace("\n", "\r") + "\n")


def mark(request_id):
    sys.stdout.flush()
    sys.stderr.flush()
    if MARK:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        megabytes = peak // (1048576 if sys.platform == "darwin" else 1024)
        os.write(1, f"\0{MARK} {request_id} {megabytes}\n".encode())


class LambdaHandler(logging.StreamHandler):
    def __init__(self):
        super().__init__(sys.stdout)
        self.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
        self.formatter.converter = time.gmtime

    def emit(self, record):
        record.request_id = current["id"]
        super().emit(record)


def default(value):
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def layered_commands():
    """Programs of a layer are called by their place on AWS (/opt/…, /var/lang/bin/python): they are run from where they lie here."""
    original = subprocess.Popen.__init__

    def run(self, args, *rest, **options):
        if isinstance(args, (list, tuple)) and args and str(args[0]).startswith("/opt/") and LAYERS:
            path = os.path.join(LAYERS, str(args[0])[len("/opt/"):])
            if not os.path.exists(path):
                raise FileNotFoundError(2, "No layer of this function holds it", str(args[0]))
            with open(path, "rb") as program:
                head = program.readline(200)
            interpreter = [sys.executable] if head.startswith(b"#!") and b"/var/lang/bin/python" in head else []
            args = interpreter + [path] + list(args[1:])
        original(self, args, *rest, **options)

    subprocess.Popen.__init__ = run


def main():
    sys.path.insert(0, ROOT)
    layered_commands()
    logging.getLogger().addHandler(LambdaHandler())
    try:
        handler = load(os.environ["_HANDLER"])
    except BaseException as error:
        shown = described(error)
        logged(shown)
        sys.stdout.flush()
        call("POST", "/init/error", json.dumps(shown), shown["errorType"])
        sys.exit(1)
    while True:
        try:
            headers, body = call("GET", "/invocation/next")
        except (OSError, http.client.HTTPException):
            return
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        current["id"] = request_id
        try:
            result = handler(json.loads(body), Context(headers))
            try:
                payload = json.dumps(result, default=default, ensure_ascii=False)
            except (TypeError, ValueError) as error:
                raise ClientError("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
            mark(request_id)
            call("POST", f"/invocation/{request_id}/response", payload.encode())
        except SystemExit:
            sys.stdout.flush()
            raise
        except Exception as error:
            shown = described(error, request_id)
            logged(shown)
            mark(request_id)
            call("POST", f"/invocation/{request_id}/error", json.dumps(shown), shown["errorType"])


# The handler's module must find this program's folder nowhere on its path.
sys.path = [entry for entry in sys.path if os.path.abspath(entry) != os.path.dirname(os.path.abspath(__file__))]
main()
