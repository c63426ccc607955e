"""SECURITY.md promises nothing that no test proves: each promise, and the tests that do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import support

TESTS = Path(support.__path__[0]).parent
TEXT = (TESTS.parent / "SECURITY.md").read_text()
PROMISES = [
    " ".join(text.split())
    for text in re.split(
        r"^- ", TEXT.partition("promises\n\n")[2].partition("\n## ")[0], flags=re.M
    )
    if text.strip()
]

# What a promise says, in its own words; and the tests that fail where it is not kept.
PROVED = {
    "Of a login that machines share (docs/fleet.md) a worker asks for the access token's path": [
        "unit/test_fleet_source.py::test_a_worker_reads_the_access_path_alone",
        "unit/test_fleet_source.py::test_other_hosts_are_none_of_it",
        "unit/test_fleet_source.py::test_a_login_of_this_machine_s_own_comes_first",
        "unit/test_fleet_settings.py::test_an_address_of_the_file_is_not_a_jobs_to_change",
        "unit/test_fleet_kv.py::test_no_token_follows_a_redirect_to_anything_else",
        "unit/test_fleet_kv.py::test_an_address_to_which_no_token_may_travel_is_refused",
        "unit/test_fleet_kv.py::test_the_first_version_of_kv_is_refused_before_anything_is_written",
        "real/test_fleet_worker.py::test_a_mount_that_compares_nothing_is_refused",
    ],
    "In Kubernetes what proves who asks goes to the API of the pod's own cluster": [
        "unit/test_trust.py::test_no_others_count_beside_them",
        "unit/test_trust.py::test_a_server_that_no_proxy_leads_to",
        "unit/test_fleet_kubernetes.py::test_a_pod_is_its_service_account",
        "unit/test_fleet_kubernetes.py::test_no_redirect_is_followed",
        "unit/test_fleet_kubernetes.py::test_no_token_goes_in_the_clear",
        "unit/test_fleet_kubernetes.py::test_no_failure_tells_what_a_server_says",
        "unit/test_fleet_kubeconfig.py::test_what_is_kept_of_one_cluster_or_person_is_no_other_s",
        "unit/test_fleet_kubeconfig.py::test_what_is_not_done_is_said",
        "unit/test_fleet_metrics.py::test_what_is_counted",
        "real/test_fleet_kubernetes.py::test_an_authority_that_the_system_trusts_does_not_count",
        "real/test_fleet_manifest.py::test_neither_may_do_anything_else",
    ],
    "sends what you type to the host that it is for alone, in https or to this machine": [
        "unit/test_login_trial.py::test_a_token_server_of_somebody_else_s_gets_nothing",
        "unit/test_login_trial.py::test_nothing_is_kept_for_plain_http",
        "unit/test_login_trial.py::test_what_is_refused_is_kept_in_no_form",
        (
            "unit/test_login_trial.py::"
            "test_a_host_that_does_not_tell_is_said_to_and_the_first_form_stands"
        ),
        "unit/test_login_loopback.py::test_what_is_not_the_provider_s_answer_changes_nothing",
        "unit/test_login_loopback.py::test_a_name_that_has_been_made_to_lead_here_is_refused",
        "unit/test_login_loopback.py::test_it_is_reached_from_this_machine_alone",
        "unit/test_login_flows.py::test_a_code_goes_with_what_the_provider_has_the_hash_of",
        (
            "unit/test_login_interrupted.py::"
            "test_over_ssh_the_url_that_a_browser_elsewhere_ends_at_is_pasted"
        ),
        (
            "unit/test_login_interrupted.py::"
            "test_ctrl_c_while_the_tokens_are_on_their_way_revokes_them"
        ),
        "unit/test_login_interrupted.py::test_ctrl_c_while_the_login_is_tried_revokes_it",
        "real/test_login_oidc.py::test_a_token_that_is_not_kept_is_given_back",
    ],
    "For a registry's token of AWS's a secret key leaves the machine as a signature alone": [
        "unit/test_aws_registries.py::test_keys_go_nowhere_in_the_clear",
        (
            "unit/test_aws_registries.py::"
            "test_each_form_of_a_registry_s_host_is_asked_of_its_own_service"
        ),
        "unit/test_aws_registries.py::test_an_endpoint_is_the_rule_s_or_the_environment_s",
    ],
    "A cloud's SDK runs in a process of its own, for one question": [
        (
            "unit/test_sdk_child.py::"
            "test_it_runs_in_the_caller_s_folder_and_imports_nothing_from_there"
        ),
        (
            "frozen/test_aws.py::"
            "test_the_caller_s_surroundings_count_in_the_sdk_s_process_and_cores_are_forbidden"
        ),
        "frozen/test_aws.py::test_what_hangs_in_the_chain_is_killed_in_time",
        ("unit/test_sdk_child.py::test_what_the_chain_cannot_do_is_one_line_with_what_helps"),
        ("unit/test_aws_keys.py::test_a_file_that_every_user_can_change_is_not_handed_to_the_sdk"),
        "unit/test_house.py::test_an_sdk_is_an_extra_and_imported_in_its_own_file_alone",
    ],
    "goes to the server that the same variables or the same file of its tool mean": [
        "unit/test_identity_github.py::test_no_token_goes_to_another_kind_of_host",
        "unit/test_identity_gitlab.py::test_no_token_goes_to_another_host",
        "unit/test_identity_packages.py::test_a_key_in_a_variable_goes_to_its_own_server_alone",
        (
            "frozen/test_forges.py::"
            "test_bazel_fetches_what_gh_s_logins_open_and_no_token_goes_to_another"
        ),
        "real/test_gh.py::test_each_host_gets_the_token_that_gh_has_for_it",
    ],
    "no host, scheme or port that its store's entry does not name": [
        "support/stores_contract.py::test_it_has_nothing_for_other_hosts",
        "support/stores_contract.py::test_another_port_is_another_server",
        "support/stores_contract.py::test_http_is_another_scheme",
        (
            "differ/test_differ.py::"
            "test_every_difference_is_meant_and_nothing_goes_where_the_owner_would_not_send_it"
        ),
    ],
    "pyx's tokens go to pyx's hosts over https only": [
        "unit/test_environment.py::test_pyx_s_token_goes_to_pyx_verbatim_and_nowhere_else",
        "real/test_pyx.py::test_the_token_stays_at_the_origin_that_it_is_for",
    ],
    "a rule that forbids holds for every client, however the URL is written": [
        "unit/test_rules.py::test_nothing_answers_what_is_forbidden_whoever_asks",
        "unit/test_rules.py::test_a_place_covers_what_is_at_or_below_it",
        "unit/test_rules.py::test_a_wider_place_is_not_answered_for_where_a_rule_divides_it",
    ],
    "what is wrong with the user's file is an error and no answer": [
        "unit/test_rules.py::test_what_is_wrong_is_told_with_line_and_key_and_nothing_answers",
    ],
    "can only narrow what the user's own settings allow": [
        "unit/test_rules.py::test_a_workspace_narrows_and_never_widens",
        (
            "unit/test_rules.py::"
            "test_a_workspace_has_no_system_answer_that_is_asked_only_where_a_rule_names_it"
        ),
        "unit/test_rules.py::test_what_is_wrong_with_a_workspace_is_a_warning_and_widens_nothing",
    ],
    "no variable or file of root's is sent by it": [
        (
            "unit/test_rules.py::"
            "test_settings_of_another_user_s_name_no_file_no_server_and_no_system_to_root"
        ),
    ],
    "It is heard only from a folder that nobody else can change": [
        "unit/test_rules.py::test_a_workspace_that_others_may_have_written_is_not_heard",
        "unit/test_rules.py::test_a_workspace_of_another_user_s_is_not_heard",
    ],
    "is proved to Microsoft's own authorities alone": [
        "unit/test_azure.py::test_a_secret_goes_to_no_authority_but_microsoft_s",
        "unit/test_azure_sdk.py::test_a_certificate_goes_to_no_authority_but_microsoft_s",
    ],
    "exchanged by Azure DevOps' own servers alone": [
        "unit/test_azure_sdk.py::test_a_challenge_that_names_others_gets_nothing_sent_to_anybody",
    ],
    "A host that only looks like a system's": [
        "unit/test_lookalikes.py::test_a_system_claims_no_host_that_only_looks_like_its_own",
        (
            "unit/test_lookalikes.py::"
            "test_who_asks_for_a_host_that_only_looks_like_a_system_s_gets_nothing"
        ),
    ],
    "only for an index there that your own configuration or environment names": [
        "unit/test_cargo_indexes.py::test_an_index_that_only_a_project_names_gets_none",
        (
            "unit/test_cargo_protocol.py::"
            "test_a_git_repository_gets_what_is_kept_for_it_and_nothing_of_its_host"
        ),
    ],
    "get a password for its own port alone": [
        "unit/test_docker_get.py::test_a_login_for_a_host_is_not_for_its_other_ports",
        "real/test_docker_cli.py::test_a_login_that_names_no_port_is_not_for_this_one",
    ],
    "never netrc's `default`": [
        (
            "unit/test_docker_get.py::"
            "test_netrc_s_default_is_no_answer_to_a_registry_that_a_dockerfile_names"
        )
    ],
    "sent to Google's own token servers alone": [
        "unit/test_google.py::test_a_file_that_names_another_token_server_than_google_s_is_sent_nowhere",
        "unit/test_google.py::test_a_url_of_an_aws_identity_is_of_aws_s_own_sts",
    ],
    "Plain http carries credentials within this machine only": [
        "frozen/test_bad_input.py::test_plain_http_is_refused_in_one_line_and_loopback_is_served",
        "frozen/test_git_command.py::test_plain_http_is_refused_and_loopback_is_served",
        "frozen/test_keyring_command.py::test_plain_http_is_refused_and_loopback_is_served",
        "frozen/test_url_commands.py::test_plain_http_is_refused_and_loopback_is_served",
    ],
    "addresses of the loopback and no others": [
        "unit/test_addresses.py::test_every_address_must_be_loopback_s"
    ],
    "redirects are not followed": [
        "frozen/test_token_server_address.py::test_a_redirect_to_another_host_is_not_followed"
    ],
    "a proxy never sees what is meant for this machine": [
        "frozen/test_token_server_address.py::test_no_proxy_sees_what_is_meant_for_this_machine"
    ],
    "is not exchanged, and not even looked for, without a rule of yours": [
        ("unit/test_ci_identity.py::test_without_a_rule_nothing_is_looked_for_and_nothing_is_sent"),
        (
            "unit/test_ci_identity.py::"
            "test_a_rule_without_an_exchange_sends_nothing_and_says_what_is_missing"
        ),
    ],
    "The identity token goes to the URL of the rule alone, over https": [
        "unit/test_exchanges.py::test_two_servers_may_be_asked_and_each_its_own_question",
        (
            "unit/test_rules_exchange.py::"
            "test_what_could_send_an_identity_elsewhere_or_is_misspelt_is_refused"
        ),
    ],
    "the token that comes of it goes to the URLs of the rule alone": [
        "real/test_ci_identity.py::test_what_is_another_url_gets_nothing_of_it"
    ],
    "only if its audience is the one that was asked": [
        "unit/test_ci_tokens.py::test_a_token_for_others_is_not_sent",
        "unit/test_ci_identity.py::test_an_identity_that_is_not_fit_is_not_sent",
    ],
    "at that registry's own token server": [
        "unit/test_auth_realms.py::test_it_goes_to_no_other_which_is_asked_without_one",
        (
            "unit/test_auth_realms.py::"
            "test_nothing_is_sent_in_the_clear_or_to_what_is_no_url_of_a_server"
        ),
        "unit/test_registries.py::test_a_login_does_not_go_to_wherever_a_registry_says",
        "unit/test_registries.py::test_a_token_server_that_redirects_is_not_followed",
    ],
    "is not sent again once its server may have taken it": [
        "unit/test_attempts.py::test_a_single_use_token_whose_fate_is_unknown_is_never_sent_again",
        (
            "frozen/test_kill.py::"
            "test_a_login_is_old_or_new_wherever_its_renewal_is_killed_and_not_sent_twice"
        ),
    ],
    "by nobody who shares the store's folder": [
        (
            "frozen/test_token_server_faults.py::"
            "test_another_cache_folder_is_no_reason_to_send_a_single_use_again"
        )
    ],
    "what was sent or received is taken out of every text": [
        "unit/test_http.py::test_what_a_server_repeats_is_in_no_text",
        "unit/test_http.py::test_what_a_proxy_repeats_is_in_no_text",
        "unit/test_single_flight.py::test_no_text_has_what_was_sent_or_what_came",
    ],
    "`credlatch explain` fetches, renews and changes nothing, and shows no secret": [
        "unit/test_explain.py::test_nothing_is_written_and_nothing_is_renewed",
        "unit/test_explain_told.py::test_of_a_secret_no_more_is_shown_than_tells_it_from_another",
        "unit/test_explain_agrees.py::test_explain_says_what_the_helper_does",
        (
            "unit/test_explain_mends.py::"
            "test_a_host_that_would_be_read_as_an_option_is_in_no_command"
        ),
    ],
    "`credlatch doctor` changes nothing here without `--fix`, and sends no credential": [
        "unit/test_doctor_surroundings.py::test_nothing_is_changed_without_fix",
        "unit/test_doctor_surroundings.py::test_offline_nothing_is_sent",
        (
            "unit/test_doctor_surroundings.py::"
            "test_a_token_server_is_asked_for_nothing_and_sent_nothing"
        ),
    ],
    "A fix that it prints means the files and hosts that it names": [
        (
            "unit/test_doctor_setups.py::"
            "test_whatever_a_folder_is_called_a_fix_is_about_it_and_runs_nothing_else"
        ),
        ("unit/test_doctor_wiring.py::test_what_a_project_has_written_is_no_option_of_a_command"),
        "unit/test_doctor_surroundings.py::test_a_fix_that_no_terminal_shows_is_not_printed",
        "unit/test_doctor_variables.py::test_what_a_shell_could_run_is_a_word_to_it",
    ],
    "Secrets are in no argument, log, error message or traceback": [
        (
            "frozen/test_secrets_command.py::"
            "test_the_secret_is_in_no_argument_and_no_variable_unless_asked_for"
        ),
        "frozen/test_canary.py::test_a_secret_is_told_to_who_asks_for_it_and_to_nobody_else",
        "frozen/test_canary.py::test_what_is_wrong_with_a_file_is_told_without_its_secret",
        "frozen/test_canary.py::test_the_agent_keeps_secrets_to_itself",
        "unit/test_fuzz.py::test_what_must_hold_for_every_input_holds",
        "unit/test_agent_log.py::test_an_answer_is_tool_host_store_outcome_and_time",
        "frozen/test_agent_protocols.py::test_each_has_the_same_answer_as_without_and_is_in_the_log",
    ],
    "not in core dumps": ["unit/test_cli.py::test_no_core_is_dumped_with_secrets_in_it"],
    "they print as `****`": [
        "unit/test_credential.py::test_a_secret_prints_as_four_stars_wherever_it_is_printed",
        "support/stores_contract.py::test_what_is_found_does_not_show_its_secret",
    ],
    "Files are written whole or not at all": [
        "frozen/test_kill.py::test_a_store_is_whole_wherever_a_store_or_erase_is_killed",
        "frozen/test_kill.py::test_a_store_is_whole_when_killed_at_each_step_of_a_write",
        (
            "unit/test_atomic_write.py::"
            "test_a_full_disk_at_any_step_leaves_the_old_content_and_nothing_else"
        ),
    ],
    "readable by their owner only": [
        (
            "unit/test_atomic_write.py::"
            "test_only_its_owner_may_read_it_whatever_the_umask_and_the_old_mode"
        )
    ],
    "entries of other tools are kept": [
        "real/test_rattler_renewal.py::test_a_renewal_keeps_the_link_the_mode_and_what_we_do_not_know"
    ],
    "what root makes in a user's home is the user's": [
        "frozen/test_two_users.py::test_what_root_does_with_a_user_s_home_is_the_user_s"
    ],
    "counts only when nobody else can have written it": [
        "unit/test_owners.py::test_a_file_that_everybody_may_change_is_not_believed",
        "unit/test_owners.py::test_whose_file_is_believed_where",
    ],
    "What a project's files say": [
        "unit/test_pixi_project.py::test_what_others_may_change_is_not_heard",
        "unit/test_pixi_project.py::test_what_is_another_user_s_is_not_heard",
        "unit/test_pixi_project.py::test_it_outranks_no_login_of_the_user_s_nor_one_that_may_be_there",
        "unit/test_pixi_project.py::test_nothing_is_written_to_it_nor_listed_nor_erased",
        (
            "frozen/test_two_users.py::"
            "test_a_project_that_another_user_has_left_in_tmp_replaces_no_login"
        ),
    ],
    "as a signature alone, for one URL, one method and 15 minutes": [
        ("unit/test_s3_store.py::test_a_signature_is_for_one_url_and_method_and_ten_minutes"),
        "unit/test_sigv4.py::test_all_that_is_signed_changes_the_signature",
    ],
    "S3's by whole labels": [
        "unit/test_s3_hosts.py::test_what_only_looks_so_is_nobody_s",
        "unit/test_s3_hosts.py::test_a_thousand_look_alikes_are_nobody_s",
        "unit/test_s3_store.py::test_other_places_get_nothing",
    ],
    "No project moves a bucket": [
        "unit/test_s3_store.py::test_a_project_names_no_other_endpoint_for_a_bucket_of_the_user_s",
        "unit/test_s3_store.py::test_a_project_that_others_may_change_says_nothing",
        "unit/test_s3_store.py::test_a_project_calls_no_bucket_of_the_user_s_by_another_name",
    ],
    "A URL that carries its own signature gets nothing": [
        "unit/test_presigned.py::test_a_stored_login_and_a_key_stay_where_they_are",
        "unit/test_presigned.py::test_whoever_asks_gets_nothing",
    ],
    "no link is followed that is another user's": [
        "unit/test_owners.py::test_a_link_that_is_put_on_the_way_meanwhile_is_not_followed",
        "frozen/test_two_users.py::test_root_writes_through_no_link_of_a_user_s_to_the_system",
    ],
    "A lock is a regular file, or refused": [
        "frozen/test_two_users.py::test_what_is_in_a_lock_s_place_is_refused_in_one_line"
    ],
    "A token with a control character in it is refused": [
        "unit/test_served.py::test_a_token_that_no_header_can_carry_is_served_to_nobody"
    ],
    "such a header of another helper": [
        "unit/test_credential.py::test_a_header_s_name_is_one_of_http_s"
    ],
    "each side checks the other's user id": [
        "frozen/test_agent_false.py::test_another_user_is_never_answered",
        "frozen/test_agent_false.py::test_another_user_s_is_never_believed",
    ],
    "sends its environment to nobody else": [
        "frozen/test_agent_false.py::test_the_environment_goes_to_no_other_service_of_the_user_s",
        "unit/test_launcher.py::test_another_user_s_folder_socket_or_link_is_not_the_caller_s",
    ],
    "Its memory cannot be read": [
        "frozen/test_agent_life.py::test_other_processes_of_the_same_user_cannot_look_into_it"
    ],
    "nothing of it is on disk but a socket and a lock": [
        (
            "frozen/test_agent_life.py::"
            "test_on_disk_are_a_socket_and_a_lock_in_a_folder_of_this_user_alone"
        )
    ],
    "for the hosts and ports you name": [
        "unit/test_agent_forward.py::test_which_hosts_a_name_means",
        "real/test_agent_forward.py::test_hosts_that_were_not_named_are_not_answered",
        "real/test_agent_forward.py::test_what_was_not_named_is_not_answered_to_any_client",
        "real/test_agent_forward.py::test_a_port_counts",
        "real/test_agent_forward.py::test_nothing_else_is_answered",
    ],
    "heeds nothing that the other side says of files or variables": [
        "real/test_agent_forward.py::test_what_the_builder_says_of_its_files_does_not_count"
    ],
    "What git is given through it is not kept there": [
        "real/test_agent_forward.py::test_what_git_has_from_the_laptop_is_not_kept_on_the_builder"
    ],
    "in a folder of yours in memory": [
        "unit/test_secrets_folder.py::test_it_is_ours_alone_in_memory_and_gone_afterwards"
    ],
    "in none of its files until somebody opens one": [
        "unit/test_secrets_leased_file.py::test_no_secret_is_in_the_folder_before_or_after_it_is_read"
    ],
    "On Windows the agent's named pipe is its user's alone": [
        "windows/test_agent_pipe.py::test_the_pipe_is_its_user_s_alone",
        "windows/test_agent_pipe.py::test_a_client_of_another_user_is_not_heard",
        "windows/test_agent_pipe.py::test_a_server_of_another_user_is_told_nothing",
    ],
    "On Windows no library or program is loaded or run": [
        "windows/test_surroundings.py::test_no_library_of_the_working_directory_or_path_is_loaded",
        "windows/test_surroundings.py::test_nothing_beside_the_single_file_is_run_or_loaded",
        "windows/test_machines.py::test_both_launchers_load_nothing_that_may_lie_beside_them",
    ],
    "gone with the build": [
        "frozen/test_secrets_child.py::test_the_folder_goes_also_when_we_are_killed"
    ],
    "hides secrets in the changes that it shows": [
        "unit/test_setup_diff.py::test_json_s_secrets_are_hidden",
        "unit/test_setup_diff.py::test_other_files_secrets_are_hidden",
    ],
    "remembers for `--undo` only what it has changed": [
        "unit/test_setup_undo.py::test_the_record_holds_no_secret_and_is_private"
    ],
    "believes no configuration that another user may have put there": [
        "unit/test_setup_faults.py::test_a_configuration_that_another_user_may_have_put_there"
    ],
    "looked for in PATH's absolute folders alone": [
        "unit/test_setup_chain_faults.py::test_a_program_of_the_working_directory_is_not_run",
        "unit/test_programs.py::test_the_working_directory_is_not_looked_in",
    ],
    "only from folders that nobody else can write to": [
        "frozen/test_single_file_places.py::test_a_cache_in_which_others_could_put_a_program",
        (
            "frozen/test_single_file_places.py::"
            "test_a_program_that_another_user_has_put_there_is_not_run"
        ),
    ],
    "removes nothing outside its own prefix and your home": [
        "frozen/test_uninstall.py::test_what_is_outside_of_prefix_and_home_is_not_touched",
        "unit/test_install.py::test_another_prefix_s_versions_stay_where_a_link_leads_to_them",
    ],
    "named, never guessed": [
        "unit/test_house.py::test_nobody_asks_for_whichever_keyring_is_installed"
    ],
    "the bus must be run by the same user id": [
        "unit/test_keyring_bus.py::test_another_user_s_bus_gets_and_gives_nothing"
    ],
    "no reason to keep a login in a file instead": [
        (
            "unit/test_keyring_bus.py::"
            "test_a_busy_bus_makes_no_login_go_to_a_file_and_no_erased_one_stay"
        ),
        "real/test_keyring_faults.py::test_docker_login_with_a_locked_keyring_loses_nothing",
    ],
}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda text: text[:40])
def test_each_promise_has_its_tests(promise: str) -> None:
    assert [words for words in PROVED if words in promise], "name the tests that prove it"


@pytest.mark.parametrize("words", PROVED)
def test_each_test_is_there_for_what_is_promised(words: str) -> None:
    assert [promise for promise in PROMISES if words in promise], "it is promised no more"
    for name in PROVED[words]:
        path, _, function = name.partition("::")
        text = (TESTS / path).read_text()
        assert re.search(rf"^ *def {function}\(", text, re.MULTILINE), name
