using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using Smae.Training;

namespace Examples;

/// <summary>The exit code of a program.</summary>
internal static class Outcome
{
    /// <summary>
    /// Runs a program's command. Ctrl+C, or SIGTERM, asks the work to stop: it ends the step under way and saves itself, however long that takes. A second one
    /// ends the program at once.
    /// </summary>
    public static async Task<int> Of(RootCommand command, string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;   // 0.5 is a half whatever the system's language, and is printed so
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        ParseResult parsed = command.Parse(arguments);
        if (parsed.Action is ParseErrorAction && arguments.Length > 0)
        {
            // One line for each option, the last that is said of it; under a page of help nobody would find it.
            foreach (var said in parsed.Errors.GroupBy(error => error.SymbolResult is ArgumentResult { Parent: OptionResult option } ? option : error.SymbolResult))
                Console.Error.WriteLine(said.Last().Message);
            return 1;
        }
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, stop.Token);
    }

    /// <summary>Does the work of a command: 0 when it is done, 1 after an error that a user can mend, 130 when it was cancelled.</summary>
    /// <param name="work">What to do.</param>
    /// <param name="cancelled">What to say when it was cancelled.</param>
    public static Task<int> Of(Action work, string cancelled = "Cancelled.") => Of(
        () =>
        {
            work();
            return Task.CompletedTask;
        },
        cancelled);

    /// <inheritdoc cref="Of(Action, string)"/>
    public static async Task<int> Of(Func<Task> work, string cancelled = "Cancelled.")
    {
        try
        {
            await work();
            return 0;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine(cancelled);
            return 130;
        }
        catch (Exception e) when (
            e is IOException or ArgumentException or InvalidOperationException or UnauthorizedAccessException or InvalidDataException
                or RankFailedException or TimeoutException or DllNotFoundException)   // another process, or MPI itself
        {
            Console.Error.WriteLine($"error: {e.Message}");   // a wrong folder or option: its message says what to do, a stack trace would not
            return 1;
        }
    }
}
