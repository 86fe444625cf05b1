"""The changes: Ansible playbooks that also work with plain `ansible-playbook`."""
