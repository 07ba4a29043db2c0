// Runs every operation of the fixture app with openapi-fetch. The address is the argument.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./shelter.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });
type Problem = components["schemas"]["ProblemDocument"];
const called = new Set<string>();
client.use({
  onRequest({ request, schemaPath }) {
    called.add(`${request.method.toLowerCase()} ${schemaPath}`);
  },
});

// Pets: nested schemas, enums, problem documents.
const body: components["schemas"]["PetBody"] = {
  name: "Tom",
  mood: "calm",
  chip: { code: "AB1234", since: "2024-02-29" },
  owner: { name: "Ann", friends: [{ name: "Bob" }] },
  notes: { walks: 2 },
  price: "9.50",
  extra: 1,
};
const made = await client.POST("/api/pets", { body });
assert.equal(made.response.status, 201);
assert.equal(made.data?.owner?.friends?.[0]?.name, "Bob");
const id: number = made.data!.id;
const params = { path: { id } };

// @ts-expect-error: the mood is not one of the enum.
const wrong = await client.POST("/api/pets", { body: { name: "", mood: "sad" } });
const problem: Problem = wrong.error!;
assert.equal(problem.status, 400);
assert.deepEqual(problem.errors?.map((error) => error.pointer), ["#/name", "#/mood"]);

const listed = await client.GET("/api/pets", {
  params: { query: { page: 1, mood: "calm", tag: ["a", "b"], is_young: true } },
});
assert.equal(listed.data?.total, 1);
assert.equal((await client.GET("/api/pets/{id}", { params })).data?.price, "9.50");
const missing = await client.GET("/api/pets/{id}", { params: { path: { id: 99 } } });
assert.equal(missing.error?.detail, "There is no such pet.");
const put = await client.PUT("/api/pets/{id}", { params, body: { name: "Tim", mood: "wild" } });
assert.equal(put.data?.name, "Tim");
const patched = await client.PATCH("/api/pets/{id}", { params, body: { size: "small" } });
assert.equal(patched.data?.size, "small");
const renamed = await client.POST("/api/pets/{id}", { params, body: { name: "Tam" } });
assert.deepEqual(renamed.data, { id, name: "Tam" });

// Files and forms.
const sent = await client.POST("/api/pets/{id}/photo", {
  params,
  body: { text: "Hi", stars: 5, photo: "", others: [] },
  bodySerializer() {
    const form = new FormData();
    form.set("text", "Hi");
    form.set("stars", "5");
    form.set("photo", new Blob(["12345"]), "a.png");
    form.append("others", new Blob(["1"]), "b.png");
    return form;
  },
});
assert.deepEqual(sent.data, { bytes: 5, others: 1, text: "Hi" });
const photo = await client.GET("/api/pets/{id}/photo", { params, parseAs: "arrayBuffer" });
assert.equal(photo.data?.byteLength, 8);
const adopted = await client.POST("/forms/adoption", {
  body: { name: "Ann", pets: [1, 2], agreed: true },
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  bodySerializer: (form) =>
    new URLSearchParams([["name", form.name], ...form.pets.map((pet) => ["pets", `${pet}`])]),
});
assert.deepEqual(adopted.data, { name: "Ann", pets: 2 });

// Unions.
const cat = await client.POST("/api/animals", { body: { type: "cat", lives: 9 } });
assert.equal(cat.data?.type === "cat" && cat.data.lives, 9);
const animals = await client.GET("/api/animals");
assert.deepEqual(animals.data?.map((animal) => animal.type), ["cat", "dog"]);

// Each location, and the matchers.
const echo = await client.PUT("/api/everything", {
  params: {
    query: { limit: 3 },
    header: { "X-Trace": "ab12" },
    cookie: { theme: "dark" },
  },
  headers: { Cookie: "theme=dark" },
  body: { count: 2, when: "2024-01-01T00:00:00Z" },
});
assert.deepEqual(echo.data, {
  count: 2,
  trace: "ab12",
  theme: "dark",
  limit: 3,
});
const uuid = "6f1f3a5e-3c53-4d5e-9e0e-1f6f5ad5b0aa";
const values = [
  (await client.GET("/api/by/uuid/{value}", { params: { path: { value: uuid } } })).data,
  (await client.GET("/api/by/float/{value}", { params: { path: { value: 1.5 } } })).data,
  (await client.GET("/api/by/hex/{value}", { params: { path: { value: "ff" } } })).data,
  (await client.GET("/api/by/string/{value}", { params: { path: { value: "a b" } } })).data,
];
assert.deepEqual(values.map((data) => data?.value), [uuid, "1.5", "ff", "a b"]);
const file = await client.GET("/api/{name}@{size}.json", {
  params: { path: { name: "x", size: 3 } },
});
assert.deepEqual(file.data, { name: "x", size: 3 });

// Optional and rest params.
assert.deepEqual((await client.GET("/docs")).data, { path: null });
const chapter = await client.GET("/docs/{path}", { params: { path: { path: "a/b" } } });
assert.deepEqual(chapter.data, { path: "a/b" });
assert.deepEqual((await client.GET("/greeting")).data, { lang: "en" });
const greeting = await client.GET("/{lang}/greeting", { params: { path: { lang: "de" } } });
assert.deepEqual(greeting.data, { lang: "de" });

// Texts, and other FilePages.
assert.equal((await client.GET("/any", { parseAs: "text" })).data, "GET");
assert.equal((await client.POST("/any", { parseAs: "text" })).data, "POST");
assert.equal((await client.PUT("/any", { parseAs: "text" })).data, "PUT");
assert.equal((await client.PATCH("/any", { parseAs: "text" })).data, "PATCH");
assert.equal((await client.DELETE("/any", { parseAs: "text" })).data, "DELETE");
assert.equal((await client.GET("/old", { parseAs: "text" })).data, "old");
assert.equal((await client.GET("/feed.xml", { parseAs: "text" })).data, "<feed/>");
const found = await client.GET("/search", { params: { query: { q: "a" } } });
assert.deepEqual(found.data, { found: "a" });
const order = { pets: [1], buyer: { name: "Ann" } };
assert.deepEqual((await client.POST("/shop/orders", { body: [order, order] })).data, { pets: 2 });
assert.deepEqual((await client.GET("/intern/staff")).data, { names: ["Ann"] });

const gone = await client.DELETE("/api/pets/{id}", { params });
assert.equal(gone.response.status, 204);
console.log([...called].sort().join("\n"));
