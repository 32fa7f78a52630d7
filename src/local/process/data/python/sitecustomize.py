# Python imports this before a program starts. botocore reads AWS_ENDPOINT_URL since 1.31 (awscli 1.29, boto3 1.28); an older one, as in the layer
# of CDK's BucketDeployment before 2.100 or in an app's own requirements, would ask AWS itself. It gets the address where its user gives none.
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys

KNOWS_IT = (1, 31)
# Where `endpoint_url` stands among the arguments of Session.create_client, behind `self`.
ENDPOINT = 5


class SessionFinder(importlib.abc.MetaPathFinder):
    """Stands in the way of one import, that of botocore's sessions."""

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                point_to_endpoint(module.Session)

            spec.loader.exec_module = exec_module
        return spec


def point_to_endpoint(session):
    import botocore

    if tuple(int(part) for part in botocore.__version__.split(".")[:2]) >= KNOWS_IT:
        return
    create_client = session.create_client

    def with_endpoint(self, *args, **kwargs):
        if len(args) <= ENDPOINT and kwargs.get("endpoint_url") is None and os.environ.get("AWS_ENDPOINT_URL"):
            kwargs["endpoint_url"] = os.environ["AWS_ENDPOINT_URL"]
        return create_client(self, *args, **kwargs)

    session.create_client = with_endpoint


def import_next():
    """The machine's own sitecustomize, which this one hides."""
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", [entry for entry in sys.path if os.path.abspath(entry) != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


sys.meta_path.insert(0, SessionFinder())
import_next()
