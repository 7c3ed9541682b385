using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Smae.MLNet.Tests;

/// <summary>
/// None of our packages hands TorchSharp a number in a way that lets the collector free it while libtorch reads it: read from the compiled code, TorchSharp's own
/// included, since many of its methods make a <c>Scalar</c> that their signature does not show. Why is told in TensorArithmetic.cs of Smae.Training.
/// </summary>
[TestClass]
public sealed class ScalarTests
{
    private const string Scalar = "TorchSharp.Scalar", Helper = "TensorArithmetic";

    // Makes Scalars of the numbers among its arguments; ours are tensors.
    private static readonly HashSet<string> s_allowed = ["CompilationUnit.invoke"];

    [TestMethod]
    public void NumbersGoToTorchSharpThroughTensorArithmeticAlone()
    {
        using ModuleDefinition torchSharp = Read("TorchSharp.dll");
        HashSet<string> forgetful = Forgetful(torchSharp);
        foreach (string name in (string[])["Tensor::op_Addition(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)", "Tensor::square()", "TensorExtensionMethods::ToDouble("])
            Assert.IsTrue(forgetful.Any(f => f.Contains(name)), $"{name} was not found out: TorchSharp is another, or this test does not read it");
        Assert.IsFalse(forgetful.Any(f => f.Contains("Tensor::op_Subtraction(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)")));

        List<string> wrong = [];
        foreach (string file in (string[])["Smae.Training.dll", "Smae.Export.dll", "Smae.MLNet.dll"])
        {
            using ModuleDefinition ours = Read(file);
            foreach (MethodDefinition method in Methods(ours).Where(m => m.DeclaringType.Name != Helper))
                foreach ((Instruction at, MethodReference called) in Calls(method))
                    if (IsOfTorchSharp(called) && !s_allowed.Contains($"{called.DeclaringType.Name}.{called.Name}") &&
                        (TakesScalar(called) || forgetful.Contains(NameOf(called))))
                        wrong.Add($"{Place(method, at)} calls {called.DeclaringType.Name}.{called.Name}({string.Join(", ", called.Parameters.Select(p => p.ParameterType.Name))})");
        }
        Assert.IsEmpty(wrong, $"TorchSharp forgets the Scalar while libtorch reads it; use the methods of {Helper} instead:\n{string.Join('\n', wrong)}");
    }

    [TestMethod]
    public void TensorArithmeticDisposesOfEachNumberAfterTheCall()
    {
        using ModuleDefinition torchSharp = Read("TorchSharp.dll"), ours = Read("Smae.Training.dll");
        HashSet<string> forgetful = Forgetful(torchSharp);
        MethodDefinition[] methods = [.. Methods(ours).Where(m => m.DeclaringType.Name == Helper && !m.IsConstructor)];
        Assert.IsNotEmpty(methods);
        foreach (MethodDefinition method in methods)
        {
            MethodReference[] called = [.. Calls(method).Select(c => c.Called)];
            int owned = method.Parameters.Count(p => p.ParameterType.FullName == Scalar) + called.Count(MakesScalar);
            Assert.AreEqual(owned, called.Count(c => c.Name == "Dispose"), $"{method.Name} has {owned} numbers of its own");
            MethodReference? forgets = Array.Find(called, c => forgetful.Contains(NameOf(c)));
            Assert.IsNull(forgets, $"{method.Name} calls {forgets?.FullName}, which makes a number of its own and forgets it");
        }
    }

    /// <summary>The methods of TorchSharp that make a Scalar and leave it to the collector, or call one that does.</summary>
    private static HashSet<string> Forgetful(ModuleDefinition torchSharp)
    {
        MethodDefinition[] methods = [.. Methods(torchSharp).Where(m => m.ReturnType.FullName != Scalar && m.DeclaringType.FullName != Scalar)];
        var calls = methods.ToDictionary(m => m, m => Calls(m).Select(c => c.Called).ToArray());
        HashSet<string> found = [.. methods.Where(m => calls[m].Any(MakesScalar)).Select(NameOf)];
        for (int before = 0; before < found.Count;)
        {
            before = found.Count;
            foreach (MethodDefinition method in methods.Where(m => calls[m].Any(c => found.Contains(NameOf(c))))) found.Add(NameOf(method));
            // A layer is run, and what yields goes on, through a base: who makes one answers for it.
            foreach (MethodDefinition run in methods.Where(m => m.Name is "forward" or "MoveNext" && found.Contains(NameOf(m))))
                found.UnionWith(run.DeclaringType.Methods.Where(m => m.IsConstructor).Select(NameOf));
        }
        return found;
    }

    private static bool MakesScalar(MethodReference method) =>
        method.ReturnType.FullName == Scalar || (method.DeclaringType.FullName == Scalar && method.Name == ".ctor");

    private static bool TakesScalar(MethodReference method) =>
        method.Parameters.Any(p => p.ParameterType.GetElementType().FullName == Scalar) ||
        (method is { HasThis: true, DeclaringType.FullName: Scalar } && method.Name is not (".ctor" or "Dispose"));

    private static bool IsOfTorchSharp(MethodReference method) => method.DeclaringType.GetElementType().Scope.Name.StartsWith("TorchSharp", StringComparison.Ordinal);

    /// <summary>The name of the method as it is declared, whatever its type arguments.</summary>
    private static string NameOf(MethodReference method) =>
        method is not { IsGenericInstance: true } and not { DeclaringType.IsGenericInstance: true } ? method.FullName : method.Resolve()?.FullName ?? method.FullName;

    private static IEnumerable<MethodDefinition> Methods(ModuleDefinition module) => module.GetTypes().SelectMany(t => t.Methods).Where(m => m.HasBody);

    private static IEnumerable<(Instruction At, MethodReference Called)> Calls(MethodDefinition method) =>
        method.Body.Instructions.Where(i => i.Operand is MethodReference).Select(i => (i, (MethodReference)i.Operand));

    private static string Place(MethodDefinition method, Instruction at)
    {
        for (Instruction? i = at; i is not null; i = i.Previous)
            if (method.DebugInformation.GetSequencePoint(i) is { IsHidden: false } point) return $"{Path.GetFileName(point.Document.Url)}:{point.StartLine}";
        return method.FullName;
    }

    private static ModuleDefinition Read(string file)
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        return ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, file), new ReaderParameters
        {
            AssemblyResolver = resolver, ReadSymbols = true, SymbolReaderProvider = new DefaultSymbolReaderProvider(throwIfNoSymbol: false),
        });
    }
}
