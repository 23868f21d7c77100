"""The admin API at /admin/api/v1: one file per resource, named as in admin/, and how every resource is read and answered.

routes.py loops over the resources · resource.py what an endpoint declares: its permission, query, body and answers ·
bearer.py who calls · reading.py the request · answers.py the answer · merge_patch.py, preconditions.py and idempotency.py
what the methods share · models.py and client_models.py what bodies and documents look like · problems.py and faults.py what
can go wrong · openapi.py the OpenAPI document, reference.py and document.py the page that shows it.
"""
