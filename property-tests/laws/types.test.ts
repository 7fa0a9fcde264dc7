import { typesLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("results have the promised types", (p) => typesLaw(p), 110);
