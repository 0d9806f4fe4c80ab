package import FlatbookCore

/// Reads accounts files and plan files. Every problem of every file comes in one answer, with file, line and key.
///
///     let loader = ConfigurationLoader(exchanges: descriptions)
///     let (accounts, problems) = loader.loadAccounts(directory: "accounts")
package struct ConfigurationLoader {
    package var exchanges: [ExchangeDescription]

    package init(exchanges: [ExchangeDescription]) { self.exchanges = exchanges }

    /// Reads all `*.yaml`, `*.yml` and `*.json` files of a folder, in the order of their names.
    ///
    /// - Returns: the accounts that are valid, and every problem found. With a problem the accounts are not complete:
    ///   nothing may be sent then.
    package func loadAccounts(directory: String) -> (accounts: [Account], diagnostics: [Diagnostic]) {
        let problems = Problems()
        let files = ConfigurationFile.list(directory, problems: problems)
        var reader = AccountsReader(exchanges: exchanges, problems: problems)
        for file in files {
            guard let root = Self.document(file, problems: problems) else { continue }
            reader.read(root)
        }
        return (reader.accounts, problems.sorted(files: files))
    }

    /// Reads plan files in the order given.
    ///
    /// - Returns: the plans that are valid, and every problem found.
    package func loadPlans(paths: [String]) -> (plans: [PlanDocument], diagnostics: [Diagnostic]) {
        let problems = Problems()
        var plans: [PlanDocument] = []
        for path in paths {
            guard let root = Self.document(path, problems: problems),
                let plan = PlanReader(root: root).read()
            else { continue }
            if let twin = plans.first(where: { $0.name == plan.name }) {
                problems.add(
                    path, plan.source.line, "name",
                    "\(shown(plan.name)) is also the name of the plan at \(twin.source.file):\(twin.source.line).",
                    hint: "Give each plan its own name, and each file once.")
                continue
            }
            plans.append(plan)
        }
        return (plans, problems.sorted(files: paths))
    }

    /// The root of a file of version 1; what another version means is not known, so nothing more is said about it.
    private static func document(_ path: String, problems: Problems) -> Section? {
        guard let text = ConfigurationFile.read(path, problems: problems),
            let tree = YAMLTree.parse(text, file: path, problems: problems),
            let root = Section(Field(node: tree, path: ""), file: path, problems: problems)
        else { return nil }
        guard root.field("version") != nil else {
            let hint = root.layers.first?.entries.lazy.compactMap { didYouMean($0.key, in: ["version"]) }.first
            root.missing("version", hint: hint ?? "Start the file with \"version: 1\".")
            // Most likely it was forgotten: the rest is read all the same, so that one answer holds everything.
            return root
        }
        guard let version = root.text("version") else { return nil }
        guard version.text == "1" else {
            root.report(version, "is \(shown(version.text)), but this program reads version 1 only.")
            return nil
        }
        return root
    }
}
