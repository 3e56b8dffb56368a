// Operators: lookup by name, and the translation of libtorch's types into ours.
#include "bridge/schema.h"

#include <algorithm>
#include <sstream>

#include "bridge/failure.h"
#include "bridge/handle.h"

namespace onevision {

namespace {

constexpr const char* kKindNames[] = {
    "Tensor", "Scalar", "int",    "float",        "bool",      "str",
    "dtype",  "layout", "device", "memoryFormat", "Generator", "other",
};

Kind kindOf(c10::TypeKind kind) {
  switch (kind) {
    case c10::TypeKind::TensorType: return Kind::Tensor;
    case c10::TypeKind::NumberType: return Kind::Scalar;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::Int;
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType: return Kind::Float;
    case c10::TypeKind::BoolType:
    case c10::TypeKind::SymBoolType: return Kind::Bool;
    case c10::TypeKind::StringType:
    // "Any" is how collectives take a process group since libtorch 2.13: by its name, or itself.
    case c10::TypeKind::AnyType: return Kind::String;
    case c10::TypeKind::ScalarTypeType: return Kind::Dtype;
    case c10::TypeKind::LayoutType: return Kind::Layout;
    case c10::TypeKind::DeviceObjType: return Kind::Device;
    case c10::TypeKind::MemoryFormatType: return Kind::MemoryFormat;
    case c10::TypeKind::GeneratorType: return Kind::Generator;
    default: return Kind::Other;
  }
}

ValueType valueTypeOf(const c10::Argument& argument) {
  ValueType result;
  c10::TypePtr type = argument.real_type();
  if (const auto optional = type->cast<c10::OptionalType>()) {
    result.optional = true;
    type = optional->getElementType();
  }
  if (const auto list = type->cast<c10::ListType>()) {
    result.list = true;
    type = list->getElementType();
    if (const auto optional = type->cast<c10::OptionalType>()) {
      result.optionalElement = true;
      type = optional->getElementType();
    }
  }
  result.kind = kindOf(type->kind());
  result.size = argument.N().value_or(0);
  return result;
}

int returnedArgumentOf(const c10::FunctionSchema& schema) {
  if (schema.returns().size() != 1) return -1;
  const auto* alias = schema.returns()[0].alias_info();
  if (alias == nullptr || !alias->isWrite()) return -1;
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    const auto* other = schema.arguments()[i].alias_info();
    if (other != nullptr && other->isWrite() && other->beforeSets() == alias->beforeSets()) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

std::string similarNames(const std::string& base) {
  std::vector<std::string> found;
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name == base) found.push_back(c10::toString(name));
  }
  if (found.empty()) return "Operators are named as in PyTorch's native_functions.yaml.";
  std::sort(found.begin(), found.end());
  std::string text = "Its overloads are";
  for (const auto& name : found) text += " " + name;
  return text + ".";
}

void resolve(Operator& op) {
  const auto dot = op.name.find('.');
  const std::string base = op.name.substr(0, dot);
  const std::string overload = dot == std::string::npos ? "" : op.name.substr(dot + 1);
  op.handle = c10::Dispatcher::singleton().findSchema({base, overload});
  if (!op.handle) {
    throw Failure("native", "libtorch has no operator named " + op.name + ".", similarNames(base));
  }
  for (const auto& argument : op.schema().arguments()) op.arguments.push_back(valueTypeOf(argument));
  for (const auto& value : op.schema().returns()) op.returns.push_back(valueTypeOf(value));
  op.returnedArgument = returnedArgumentOf(op.schema());
}

uint32_t internName(AddonData& data, const std::string& name) {
  const auto [entry, isNew] =
      data.operatorIds.try_emplace(name, static_cast<uint32_t>(data.operators.size()));
  if (isNew) {
    data.operators.push_back(std::make_unique<Operator>());
    data.operators.back()->name = name;
  }
  return entry->second;
}

std::string expectName(const Napi::CallbackInfo& info) {
  if (info.Length() == 1 && info[0].IsString()) return info[0].As<Napi::String>();
  throw Failure("native", "Expected an operator name such as \"aten::add.Tensor\".");
}

Napi::Object describeType(Napi::Env env, const ValueType& type) {
  auto result = Napi::Object::New(env);
  result.Set("kind", kindName(type.kind));
  result.Set("optional", type.optional);
  result.Set("list", type.list);
  result.Set("optionalElement", type.optionalElement);
  result.Set("size", type.size);
  return result;
}

}  // namespace

const char* kindName(Kind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string ValueType::text() const {
  std::string result = kindName(kind);
  if (optionalElement) result += "?";
  if (list) result += size > 0 ? "[" + std::to_string(size) + "]" : "[]";
  return optional ? result + "?" : result;
}

Operator& operatorAt(napi_env env, uint32_t id) {
  auto& operators = addonData(env).operators;
  if (id >= operators.size()) {
    throw Failure("native", "Expected an operator number from operatorId(); got " +
                                std::to_string(id) + ".");
  }
  Operator& op = *operators[id];
  if (!op.handle) resolve(op);
  return op;
}

Napi::Value operatorId(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), internName(addonData(info.Env()), expectName(info)));
}

Napi::Value describeOperator(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Operator& op = operatorAt(env, internName(addonData(env), expectName(info)));
  const auto& schemaArguments = op.schema().arguments();
  auto arguments = Napi::Array::New(env);
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    auto argument = describeType(env, op.arguments[i]);
    argument.Set("name", schemaArguments[i].name());
    argument.Set("keywordOnly", schemaArguments[i].kwarg_only());
    const auto& fallback = schemaArguments[i].default_value();
    argument.Set("hasDefault", fallback.has_value());
    arguments.Set(i, argument);
  }
  auto returns = Napi::Array::New(env);
  for (size_t i = 0; i < op.returns.size(); ++i) returns.Set(i, describeType(env, op.returns[i]));
  std::ostringstream text;
  text << op.schema();
  auto result = Napi::Object::New(env);
  result.Set("name", op.name);
  result.Set("schema", text.str());
  result.Set("returnedArgument", op.returnedArgument);
  result.Set("arguments", arguments);
  result.Set("returns", returns);
  return result;
}

}  // namespace onevision
