// The approvals page. It knows what the public routes tell whoever signed in, and nothing more. All
// text of others goes in as text, never as markup; the credential lives in one variable.
"use strict";

(() => {
	const byId = (id) => document.getElementById(id);
	let credential = "";
	let run = 0; // which sign-in the running loop belongs to
	const cards = new Map();

	// ---- text of others ------------------------------------------------------------------

	// What a screen would act upon, hide or reorder: controls but newline and tab, format and
	// bidirectional marks, odd blanks, private, unassigned and lone surrogate code points.
	const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0\ufe00-\ufe0f]/gu;
	const escaped = (value) =>
		String(value ?? "").replace(hidden, (c) =>
			c === "\n" || c === "\t" ? c : `\\u{${c.codePointAt(0).toString(16)}}`);
	const oneLine = (value) => escaped(value).replace(/[\n\t]/g, (c) => (c === "\n" ? "\\n" : "\\t"));

	const make = (name, text, className) => {
		const element = document.createElement(name);
		if (text !== undefined) element.textContent = text;
		if (className) element.className = className;
		return element;
	};
	const say = (text) => { byId("status").textContent = text; };

	// ---- requests ------------------------------------------------------------------------

	class Refused extends Error {
		constructor(status, message, retry) {
			super(message);
			this.status = status;
			this.retry = retry;
		}
	}

	const ask = async (path, body, signal) => {
		const headers = { Accept: "application/json" };
		if (credential) headers.Authorization = `Bearer ${credential}`;
		if (body) headers["Content-Type"] = "application/json";
		const answer = await fetch(path, {
			method: body ? "POST" : "GET",
			headers,
			body: body ? JSON.stringify(body) : undefined,
			cache: "no-store",
			credentials: "same-origin",
			redirect: "error",
			signal,
		});
		const value = await answer.json().catch(() => ({}));
		if (answer.ok) return value;
		throw new Refused(answer.status, oneLine(value.error ?? `status ${answer.status}`),
			Number(answer.headers.get("Retry-After")) || 0);
	};

	// ---- one question --------------------------------------------------------------------

	const fact = (list, name, value) => {
		if (value === undefined || value === null || value === "") return;
		list.append(make("dt", name), make("dd", oneLine(value)));
	};

	// A box that must be read to its end. read() tells whether it was; change is called then.
	const box = (parent, label, text, change) => {
		const pre = make("pre", escaped(text));
		const hint = make("p", "", "hint");
		let done = false;
		pre.tabIndex = 0;
		pre.setAttribute("role", "region");
		pre.setAttribute("aria-label", label);
		const look = () => {
			if (done || !pre.isConnected || pre.clientHeight === 0) return;
			done = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 2;
			hint.textContent = done ? "" : `${label} goes on below; approve is possible once you have been at its end.`;
			if (done) change();
		};
		pre.addEventListener("scroll", look, { passive: true });
		new ResizeObserver(look).observe(pre);
		parent.append(make("h4", label), pre, hint);
		return { read: () => done };
	};

	// Arguments that this approver may change: one field each, as JSON.
	const editors = (parent, question) => {
		const names = Array.isArray(question.editable) ? question.editable : [];
		const given = question.arguments ?? {};
		const fields = [];
		for (const name of names) {
			if (typeof name !== "string") continue;
			const field = make("textarea");
			const label = make("label", `Argument ${oneLine(name)}, as JSON`);
			field.id = `edit-${question.id}-${fields.length}`;
			field.rows = 2;
			field.spellcheck = false;
			field.value = name in given ? JSON.stringify(given[name]) : "";
			label.htmlFor = field.id;
			parent.append(label, field);
			fields.push({ name, field, before: field.value });
		}
		return () => {
			const changed = {};
			for (const { name, field, before } of fields)
				if (field.value !== before) changed[name] = JSON.parse(field.value);
			return Object.keys(changed).length > 0 ? changed : undefined;
		};
	};

	const remaining = (expires) => {
		const seconds = Math.floor((Date.parse(expires) - Date.now()) / 1000);
		if (!Number.isFinite(seconds)) return { over: false, text: "" };
		if (seconds <= 0) return { over: true, text: "expired" };
		return { over: false, text: `${Math.floor(seconds / 60)} min ${seconds % 60} s left` };
	};

	const makeCard = (question) => {
		const item = make("li");
		const card = make("article");
		const title = make("h3", `${oneLine(question.tool)} for ${oneLine(question.principal)}`);
		const facts = make("dl");
		const clock = make("dd");
		const answers = make("form", undefined, "answers");
		const approve = make("button", "Approve");
		const deny = make("button", "Deny");
		const scope = make("select");
		const reason = make("input");
		const boxes = [];
		let busy = false;
		let over = false;

		const settle = () => {
			const seen = boxes.every((one) => one.read());
			approve.disabled = busy || over || !seen;
			deny.disabled = busy || over;
			card.dataset.state = over ? "over" : "open";
		};
		const id = `question-${question.id}`;
		title.id = id;
		card.setAttribute("aria-labelledby", id);
		card.append(title);
		if (question.prompt) card.append(make("p", oneLine(question.prompt)));
		if (question.warning) card.append(make("p", `Warning: ${oneLine(question.warning)}`, "warning"));
		fact(facts, "agent", question.agent);
		fact(facts, "namespace", question.namespace);
		fact(facts, "rule", question.rule);
		fact(facts, "because", question.reason);
		fact(facts, "asked at", question.created);
		facts.append(make("dt", "expires"), clock);
		fact(facts, "agreed so far", question.quorum > 1 ? `${question.agreed} of ${question.quorum}` : "");
		fact(facts, "plan", question.plan);
		card.append(facts);
		boxes.push(box(card, "What would run", question.command, settle));
		if (question.details) boxes.push(box(card, "Plan and walls", question.details, settle));
		const edited = editors(card, question);

		for (const name of question.scopes ?? ["once"]) {
			const option = make("option", oneLine(name));
			option.value = name;
			scope.append(option);
		}
		const labelled = (text, element, className) => {
			const holder = make("div", undefined, className);
			const label = make("label", text);
			element.id = `${id}-${text.split(" ")[0].toLowerCase()}`;
			label.htmlFor = element.id;
			holder.append(label, element);
			return holder;
		};
		reason.maxLength = 400;
		reason.required = Boolean(question.reason_required);
		approve.type = "button";
		deny.type = "button";
		answers.append(labelled(question.reason_required ? "Reason (needed)" : "Reason", reason, "reason"),
			labelled("Scope of an approval", scope), approve, deny);
		answers.addEventListener("submit", (event) => event.preventDefault());
		card.append(answers);
		item.append(card);

		const decide = async (decision) => {
			if (reason.required && !reason.value.trim()) {
				say("This question needs a reason.");
				reason.focus();
				return;
			}
			const body = { decision, plan: question.plan };
			if (reason.value.trim()) body.reason = reason.value.trim();
			if (decision === "approve") {
				body.scope = scope.value;
				try {
					const changed = edited();
					if (changed) body.edited_arguments = changed;
				} catch {
					say("An edited argument is not JSON: a text needs its quotes.");
					return;
				}
			}
			busy = true;
			settle();
			try {
				const answer = await ask(`v1/approvals/${encodeURIComponent(question.id)}/decision`, body);
				say(`${oneLine(question.tool)}: ${oneLine(answer.state ?? "answered")}`);
			} catch (fault) {
				say(`${oneLine(question.tool)}: ${fault.message}`);
				if (fault.status === 401) leave(fault.message);
			}
			busy = false;
			settle();
		};
		approve.addEventListener("click", () => { if (!approve.disabled) decide("approve"); });
		deny.addEventListener("click", () => { if (!deny.disabled) decide("deny"); });

		const tick = () => {
			const left = remaining(question.expires);
			clock.textContent = left.text;
			if (left.over !== over) {
				over = left.over;
				settle();
			}
		};
		tick();
		settle();
		// What was shown is what is approved: another plan or count is another card.
		return { item, tick, mark: JSON.stringify(question) };
	};

	// ---- all of them ---------------------------------------------------------------------

	// Cards that stay are not touched, so that nobody loses his place or his half-written reason.
	const show = (questions, more) => {
		const seen = new Set();
		for (const question of questions) {
			const old = cards.get(question.id);
			seen.add(question.id);
			if (old && old.mark === JSON.stringify(question)) continue;
			const card = makeCard(question);
			if (old) old.item.replaceWith(card.item);
			else byId("list").append(card.item);
			cards.set(question.id, card);
		}
		for (const [id, card] of cards) {
			if (seen.has(id)) continue;
			if (card.item.contains(document.activeElement)) byId("main").focus();
			card.item.remove();
			cards.delete(id);
		}
		byId("none").hidden = cards.size > 0;
		byId("more").hidden = !more;
		byId("more").textContent = `${more} more wait; they are shown when some of these are answered.`;
		document.title = cards.size > 0 ? `(${cards.size}) callgate: approvals` : "callgate: approvals";
	};

	const pause = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });

	const loop = async (mine) => {
		let since;
		while (run === mine) {
			try {
				const list = await ask(since === undefined ? "v1/approvals" : `v1/approvals?since=${since}`);
				if (run !== mine) return;
				if (!Array.isArray(list.approvals)) throw new Refused(0, "the answer is no list");
				since = list.revision;
				show(list.approvals, list.more ?? 0);
			} catch (fault) {
				if (run !== mine) return;
				if (fault.status === 401 || fault.status === 403) {
					leave(fault.message);
					return;
				}
				say(`The server does not answer: ${fault.message}. Trying again.`);
				since = undefined;
				await pause(fault.retry || 5);
			}
		}
	};

	// ---- in and out ----------------------------------------------------------------------

	const leave = (why) => {
		run += 1;
		credential = "";
		show([], 0);
		byId("who").textContent = "";
		byId("leave").hidden = true;
		byId("questions").hidden = true;
		byId("enter").hidden = false;
		byId("credential").focus();
		say(why);
	};

	const enter = async () => {
		credential = byId("credential").value.trim();
		byId("credential").value = "";
		let me;
		try {
			me = await ask("v1/whoami");
		} catch (fault) {
			leave(fault.message);
			return;
		}
		byId("who").textContent = oneLine(me.principal);
		byId("leave").hidden = false;
		byId("enter").hidden = true;
		byId("questions").hidden = false;
		byId("main").focus();
		const permissions = me.permissions ?? [];
		say(permissions.includes("approvals:decide") ? "" : "You may look; deciding needs the permission approvals:decide.");
		run += 1;
		loop(run);
	};

	byId("enter").addEventListener("submit", (event) => {
		event.preventDefault();
		enter();
	});
	byId("leave").addEventListener("click", () => leave("Signed out."));
	setInterval(() => { for (const card of cards.values()) card.tick(); }, 1000);
	leave("");
})();
