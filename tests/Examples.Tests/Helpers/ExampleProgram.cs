using System.Reflection;

namespace Examples.Tests;

/// <summary>Runs an example's program in this process.</summary>
internal static class ExampleProgram
{
    /// <summary>Runs the program that a type is part of.</summary>
    /// <typeparam name="T">Any type of the program.</typeparam>
    /// <returns>Exit code, and what was written to both streams.</returns>
    public static (int Exit, string Output) Run<T>(params string[] arguments)
    {
        (TextWriter console, TextWriter errors, var written) = (Console.Out, Console.Error, new StringWriter());
        TextWriter both = TextWriter.Synchronized(written);   // warnings come from other threads
        Console.SetOut(both);
        Console.SetError(both);
        try
        {
            var exit = (int)typeof(T).Assembly.EntryPoint!.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [arguments], null)!;
            return (exit, written.ToString());
        }
        finally
        {
            Console.SetOut(console);
            Console.SetError(errors);
        }
    }
}
