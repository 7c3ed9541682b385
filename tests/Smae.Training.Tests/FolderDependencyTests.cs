using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;

namespace Smae.Training.Tests;

/// <summary>
/// The folders of src/Smae.Training depend on each other one way. What a type depends on is read from the compiled assembly (fields, signatures, attributes and
/// every instruction), the folder that it stands in from the sources.
/// </summary>
[TestClass]
public sealed partial class FolderDependencyTests
{
    // Folders that are not in order yet: a circle through them is not looked at.
    private static readonly string[] s_unsettled = ["Objectives"];
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields().Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    [GeneratedRegex(@"^(?:public|internal) (?:\w+ )*?(?:class|record struct|record|struct|enum|interface|delegate \S+) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration { get; }

    [TestMethod]
    public void NoFolderDependsOnOneThatDependsOnIt()
    {
        Dictionary<string, string> folders = FolderOfTypes();
        var uses = new Dictionary<(string From, string To), SortedSet<string>>();
        foreach (Type type in typeof(MaskedAutoencoder).Assembly.GetTypes())
            foreach (Type other in References(type))
            {
                (string user, string used) = (Outermost(type), Outermost(other));
                if (!folders.TryGetValue(user, out string? from) || !folders.TryGetValue(used, out string? to) || from == to) continue;
                if (s_unsettled.Contains(from) || s_unsettled.Contains(to)) continue;
                if (!uses.TryGetValue((from, to), out SortedSet<string>? examples)) uses[(from, to)] = examples = [];
                examples.Add($"{user} uses {used}");
            }
        Assert.IsTrue(uses.ContainsKey(("Reporting", "Models")) && uses.ContainsKey(("Augmentation", "Data")), "the references were not read");

        bool Reaches(string from, string to, HashSet<string> seen) =>
            seen.Add(from) && uses.Keys.Where(e => e.From == from).Any(e => e.To == to || Reaches(e.To, to, seen));
        string[] wrong = [.. uses.Where(e => Reaches(e.Key.To, e.Key.From, []))
            .Select(e => $"{e.Key.From}/ -> {e.Key.To}/: {string.Join(", ", e.Value.Take(5))}").Order(StringComparer.Ordinal)];
        Assert.IsEmpty(wrong, $"Folders depend on each other in a circle:\n{string.Join('\n', wrong)}");
    }

    [TestMethod]
    public void EveryTypeStandsInOneFolder()
    {
        Dictionary<string, string> folders = FolderOfTypes();
        string[] missing = [.. typeof(MaskedAutoencoder).Assembly.GetTypes().Select(Outermost).Distinct()
            .Where(name => !name.Contains('<') && !name.Contains("Embedded") && !name.EndsWith("Attribute", StringComparison.Ordinal) && !folders.ContainsKey(name))];
        Assert.IsEmpty(missing, string.Join(", ", missing));
    }

    private static Dictionary<string, string> FolderOfTypes()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Smae.sln"))) root = root.Parent;
        string sources = Path.Combine(root!.FullName, "src", "Smae.Training");
        var folders = new Dictionary<string, string>();
        foreach (string file in Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories))
        {
            string[] path = Path.GetRelativePath(sources, file).Split(Path.DirectorySeparatorChar);
            if (path[0] is "bin" or "obj") continue;
            string folder = path.Length == 1 ? "" : path[0];
            foreach (Match match in Declaration.Matches(File.ReadAllText(file)))
                Assert.IsTrue(folders.TryAdd(match.Groups[1].Value, folder) || folders[match.Groups[1].Value] == folder, $"{match.Groups[1].Value} in two folders");
        }
        return folders;
    }

    private static string Outermost(Type type)
    {
        while (type.DeclaringType is not null) type = type.DeclaringType;
        return type.Name.Split('`')[0];
    }

    private static IEnumerable<Type> References(Type type)
    {
        IEnumerable<Type?> direct =
        [
            type.BaseType, .. type.GetInterfaces(), .. type.GetGenericArguments(), .. Attributes(type), .. type.GetFields(All).Select(f => f.FieldType),
            .. type.GetFields(All).SelectMany(Attributes), .. type.GetProperties(All).SelectMany(Attributes),
            .. type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)).SelectMany(OfMethod),
        ];
        return direct.SelectMany(Parts).Where(t => t.Assembly == type.Assembly).Distinct();
    }

    private static IEnumerable<Type?> Attributes(MemberInfo member) => member.CustomAttributes.SelectMany(a =>
        (IEnumerable<Type?>)[a.AttributeType, .. a.ConstructorArguments.Select(c => c.Value as Type)]);

    private static IEnumerable<Type?> OfMethod(MethodBase method)
    {
        IEnumerable<Type?> signature =
        [
            (method as MethodInfo)?.ReturnType, .. method.GetParameters().Select(p => p.ParameterType), .. Attributes(method),
            .. method.IsGenericMethod ? method.GetGenericArguments() : [],
        ];
        if (method.GetMethodBody() is not { } body) return signature;
        return [.. signature, .. body.LocalVariables.Select(l => l.LocalType), .. body.ExceptionHandlingClauses
            .Where(c => c.Flags == ExceptionHandlingClauseOptions.Clause).Select(c => c.CatchType), .. OfInstructions(method, body.GetILAsByteArray()!)];
    }

    private static IEnumerable<Type?> OfInstructions(MethodBase method, byte[] code)
    {
        Type[] typeArguments = method.DeclaringType!.GetGenericArguments(), methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (int at = 0; at < code.Length;)
        {
            OpCode operation = code[at] == 0xFE ? s_opCodes[unchecked((short)(0xFE00 | code[at + 1]))] : s_opCodes[code[at]];
            at += operation.Size;
            if (operation.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                MemberInfo member = method.Module.ResolveMember(BitConverter.ToInt32(code, at), typeArguments, methodArguments)!;
                yield return member as Type ?? member.DeclaringType;
                if (member is FieldInfo field) yield return field.FieldType;
                if (member is MethodInfo called)
                    foreach (Type part in (IEnumerable<Type>)[called.ReturnType, .. called.IsGenericMethod ? called.GetGenericArguments() : []]) yield return part;
            }
            at += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }

    /// <summary>The types that a type is made of: element types and generic arguments.</summary>
    private static IEnumerable<Type> Parts(Type? type)
    {
        if (type is null || type.IsGenericParameter) return [];
        if (type.HasElementType) return Parts(type.GetElementType());
        return type.IsGenericType ? [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().Where(a => a != type).SelectMany(Parts)] : [type];
    }
}
