"""Calls operations of the echo server with boto3 and compares what each side saw. Arguments: endpoint, then services (`ec2` or `ec2:DescribeVpcs,RunInstances`)."""
import datetime, gzip, json, sys, urllib.request
import boto3, botocore.config
from botocore.exceptions import ClientError

endpoint = sys.argv[1]
config = botocore.config.Config(parameter_validation=False, inject_host_prefix=False, retries={'max_attempts': 0, 'mode': 'standard'}, s3={'addressing_style': 'path'})
session = boto3.Session('11111111', 'secret', region_name='us-east-1')
TIME = datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
# What botocore itself changes or adds on the way (its handlers.py), and members that are only the client's.
CLIENT_SIDE = {'s3': {'SSECustomerKey', 'SSECustomerKeyMD5', 'CopySourceSSECustomerKey', 'CopySourceSSECustomerKeyMD5', 'ChecksumAlgorithm', 'ContentMD5', 'Bucket', 'Key', 'CopySource', 'EncodingType', 'Metadata', 'Expires', 'ExpiresString'},
               'glacier': {'accountId'}, 'ec2': {'UserData', 'PresignedUrl'}, 'route53': {'Id', 'HostedZoneId', 'DelegationSetId', 'ResourceId', 'ChangeId', 'HostedZoneIdMarker'}, 'events': {'EndpointId'}}

# Deprecated twins of other operations on the same URI; operations on hosts of their own; lists whose encoded keys botocore leaves encoded.
SKIPPED = {'s3': {'GetBucketLifecycle', 'PutBucketLifecycle', 'GetBucketNotification', 'PutBucketNotification', 'ListDirectoryBuckets', 'WriteGetObjectResponse', 'ListMultipartUploads', 'ListObjects'}}

def sample(shape, path=(), location=None):
    kind = shape.type_name
    if getattr(shape, 'is_document_type', False): return {'any': ['json', 1]}
    if kind == 'structure':
        members = [(n, m) for n, m in shape.members.items() if m.name not in path or m.type_name not in ('structure', 'list', 'map')]
        if getattr(shape, 'is_tagged_union', False): members = members[:1]
        return {n: 5 if n == 'ContentLength' else sample(m, path + (shape.name,), m.serialization.get('location')) for n, m in members if not m.serialization.get('eventstream')}
    if kind == 'list':
        return [] if shape.member.name in path else [sample(shape.member, path + (shape.name,), location) for _ in range(2)]
    if kind == 'map':
        key = (shape.key.enum or ['key-one'])[0] if hasattr(shape.key, 'enum') else 'key-one'
        return {} if shape.value.name in path else {key: sample(shape.value, path + (shape.name,), location)}
    if kind == 'string':
        return shape.enum[0] if getattr(shape, 'enum', None) else ('plain text/with+odd %s' % shape.name if location in ('uri', 'querystring') else 'plain-%s' % shape.name if location else 'a <b> & "c" \u00e9 %s' % shape.name)
    return {'blob': b'\x00\x01\x02\xfa\xff', 'timestamp': TIME, 'boolean': True, 'float': 1.5, 'double': 1.5}.get(kind, 7)

def plain(value):
    if isinstance(value, (bytes, bytearray)): return {'$bytes': __import__('base64').b64encode(value).decode()}
    if isinstance(value, datetime.datetime): return {'$time': int(value.timestamp()) if value.timestamp() == int(value.timestamp()) else value.timestamp()}
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    if hasattr(value, 'read'): return plain(value.read())
    return value

def prune(value, shape):
    """Without the members that this version of botocore doesn't know."""
    if shape is None: return {}
    if value is None: return value
    if shape.type_name == 'structure' and isinstance(value, dict) and not getattr(shape, 'is_document_type', False): return {k: prune(v, shape.members[k]) for k, v in value.items() if k in shape.members}
    if shape.type_name == 'list' and isinstance(value, list): return [prune(v, shape.member) for v in value]
    if shape.type_name == 'map' and isinstance(value, dict): return {k: prune(v, shape.value) for k, v in value.items()}
    return value

def last():
    with urllib.request.urlopen(endpoint + '/__last') as answer: return json.load(answer)

def differences(a, b, path=''):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(a.get(key), b.get(key), path + '.' + key)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)): yield from differences(x, y, '%s[%d]' % (path, i))
    elif a != b and not (a in (None, [], {}) and b in (None, [], {})):
        yield '%s: client %s, server %s' % (path, json.dumps(a)[:120], json.dumps(b)[:120])

checked, problems = 0, []
for argument in sys.argv[2:]:
    service, _, only = argument.partition(':')
    client = session.client(service, endpoint_url=endpoint, config=config)
    errors = {'code': None}
    client.meta.events.register('before-sign', lambda request, **_: errors['code'] and request.headers.add_header('x-echo-error', errors['code']))
    model = client.meta.service_model
    for operation in (only.split(',') if only else model.operation_names):
        shape = model.operation_model(operation)
        if shape.has_event_stream_output or shape.has_event_stream_input or operation in SKIPPED.get(service, ()): continue
        sent = sample(shape.input_shape) if shape.input_shape else {}
        if service == 's3': sent.update({k: v for k, v in {'Bucket': 'my-bucket', 'Key': 'a//b/../c+d é', 'CopySource': {'Bucket': 'b', 'Key': 'k'}}.items() if k in sent}); sent.pop('ChecksumAlgorithm', None); sent.pop('EncodingType', None)
        if service == 'events': sent.pop('EndpointId', None)
        ignored = CLIENT_SIDE.get(service, set())
        method = [m for m, o in client.meta.method_to_api_mapping.items() if o == operation][0]
        checked += 1
        try:
            answer = getattr(client, method)(**sent)
        except ClientError as error:
            problems.append('%s.%s: %s %s' % (service, operation, error, last().get('error', ''))); continue
        except Exception as error:
            problems.append('%s.%s: %s: %s' % (service, operation, type(error).__name__, str(error)[:300])); continue
        seen = last()
        if 'error' in seen: problems.append('%s.%s: %s' % (service, operation, seen['error'][:600])); continue
        if seen['operation'] != operation: problems.append('%s.%s was taken for %s.%s' % (service, operation, seen['model'], seen['operation'])); continue
        answer.pop('ResponseMetadata', None)
        strip = lambda value: {k: v for k, v in value.items() if k not in ignored}
        for where, mine, theirs in (('input', plain(sent), seen['input']), ('output', plain(answer), prune(seen['output'], shape.output_shape))):
            for line in list(differences(strip(mine), strip(theirs)))[:4]: problems.append('%s.%s %s%s' % (service, operation, where, line))
    # One declared error, through the same client.
    for operation in model.operation_names:
        shape = model.operation_model(operation)
        if not shape.error_shapes or shape.http.get('method') == 'HEAD' or shape.has_event_stream_output or (only and operation not in only.split(',')): continue
        code = shape.error_shapes[0].name
        method = [m for m, o in client.meta.method_to_api_mapping.items() if o == operation][0]
        sent = sample(shape.input_shape) if shape.input_shape else {}
        if service == 's3': sent.update({k: v for k, v in {'Bucket': 'my-bucket', 'Key': 'k', 'CopySource': {'Bucket': 'b', 'Key': 'k'}}.items() if k in sent}); sent.pop('ChecksumAlgorithm', None)
        errors['code'] = code
        try:
            getattr(client, method)(**sent); problems.append('%s.%s did not fail' % (service, operation))
        except ClientError as error:
            if error.response['Error'].get('Message') != 'A sentence for %s & more' % code: problems.append('%s.%s error: %s' % (service, operation, error.response['Error']))
            elif type(error).__name__ != code and type(error) is ClientError and service not in ('s3', 'ec2'): problems.append('%s.%s: %s came as plain ClientError %s' % (service, operation, code, error.response['Error']['Code']))
        break
print(json.dumps({'checked': checked, 'problems': problems}))
