// Canned replies: what agents say often.
import { button, make } from "../common/dom";
import { call } from "../common/http";
import { Form } from "./form";
import { at, Host } from "./host";
import { named } from "./lines";
import { act, actions, badge, dialog, load, sure, Table } from "./ui";
import { say } from "./words";

interface Reply {
  id: number;
  title: string;
  text: string;
  categoryName: string;
  isPublished: boolean;
}

export function replies(host: Host): void {
  const row = actions(host.main);
  const table = new Table(host.main, say("page.replies"), [say("reply.title"), say("reply.text"), say("reply.category"), say("state"), ""], say("reply.none"));
  const show = (answer: { replies: Reply[] }) => {
    if (!host.alive()) return;
    table.fill(answer.replies, (reply) => [
      reply.title, reply.text, reply.categoryName, [badge(say(reply.isPublished ? "reply.isPublished" : "reply.isDraft"), reply.isPublished ? "good" : "warn")], buttons(reply),
    ]);
  };
  const buttons = (reply: Reply): Node => {
    const box = make("div", "row-actions");
    const name = { name: reply.title };
    named(button(box, say("edit"), () => edit(host, reply, show)), name);
    named(button(box, say("remove"), () => sure(say("remove"), say("reply.sure", name), say("remove"), () =>
      void act(host, call("DELETE", at(host, `canned-replies/${reply.id}`)), say("removed")).then((answer) => answer && show(answer))), "danger"), name);
    return box;
  };
  button(row, say("reply.add"), () => edit(host, undefined, show), "primary");
  load(host, host.main, () => call("GET", at(host, "canned-replies")), show);
}

function edit(host: Host, reply: Reply | undefined, show: (answer: { replies: Reply[] }) => void): void {
  dialog(say(reply ? "reply.edit" : "reply.add"), (body, close) => {
    const form = new Form(body, [
      { name: "title", label: say("reply.title"), required: true, max: 100, half: true },
      { name: "categoryName", label: say("reply.category"), max: 60, half: true },
      { name: "text", label: say("reply.text"), kind: "area", required: true, max: 4000 },
      { name: "isPublished", label: say("reply.published"), kind: "check" },
    ], say("save"), async (values) => {
      // What this form does not show stays as it is; formatting follows the text.
      const wanted = { ...reply, ...values, html: reply && reply.text === values["text"] ? (reply as any).html : "" };
      show(await call(reply ? "PUT" : "POST", at(host, reply ? `canned-replies/${reply.id}` : "canned-replies"), wanted));
      close();
      host.notice(say("saved"));
    });
    form.fill({ isPublished: true, ...reply });
  });
}
